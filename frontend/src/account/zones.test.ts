import { expect, test } from "vitest";

import { findZones, zoneName } from "./zones";

const zones = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo"];

test("zones are found by parts of their names, the likely ones first", () => {
  expect(findZones(zones, "", ["Europe/Berlin", "UTC"])).toEqual([
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Asia/Tokyo",
  ]);
  for (const text of ["new york", "york", "america/new", "amer york"])
    expect(findZones(zones, text, [])).toEqual(["America/New_York"]);
  expect(findZones(zones, "mars", ["Europe/Berlin"])).toEqual([]);
  expect(zoneName("America/Argentina/Buenos_Aires")).toBe("America/Argentina/Buenos Aires");
});
