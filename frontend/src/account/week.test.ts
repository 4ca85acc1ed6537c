import { expect, test } from "vitest";

import { weekNumber } from "./week";

test("days are counted from Monday", () => {
  expect(["monday", "saturday", "sunday", "someday"].map(weekNumber)).toEqual([1, 6, 7, 1]);
});
