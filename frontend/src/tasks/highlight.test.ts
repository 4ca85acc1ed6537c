import { expect, test } from "vitest";

import { pieces } from "./highlight";

test("every match is found, and no character is special", () => {
  expect(pieces("Pay 50% of rent (pay!)", "PAY")).toEqual(["", "Pay", " 50% of rent (", "pay", "!)"]);
  expect(pieces("a.c abc", "a.c")).toEqual(["", "a.c", " abc"]);
  expect(pieces("text", "  ")).toEqual(["text"]);
});
