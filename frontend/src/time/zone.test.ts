import { expect, test } from "vitest";

import { dayStart, instant, local, onDay } from "./zone";

const berlin = "Europe/Berlin";
const at = (text: string) => Date.parse(text);

test("a wall clock is read and set", () => {
  expect(local(at("2026-07-01T22:30:00Z"), berlin)).toEqual({ year: 2026, month: 7, day: 2, hour: 0, minute: 30 });
  expect(instant({ year: 2026, month: 7, day: 2, hour: 0, minute: 30 }, berlin)).toBe(at("2026-07-01T22:30:00Z"));
  expect(instant({ year: 2026, month: 1, day: 2, hour: 5, minute: 45 }, "Asia/Kathmandu")).toBe(
    at("2026-01-02T00:00:00Z"),
  );
});

test("a time that the clocks skip moves on by the gap", () => {
  expect(instant({ year: 2026, month: 3, day: 29, hour: 2, minute: 30 }, berlin)).toBe(at("2026-03-29T01:30:00Z"));
});

test("of a time that comes twice the first is meant", () => {
  expect(instant({ year: 2026, month: 10, day: 25, hour: 2, minute: 30 }, berlin)).toBe(at("2026-10-25T00:30:00Z"));
});

test("days begin at midnight, whatever their length", () => {
  const noon = at("2026-03-28T11:00:00Z");
  expect(dayStart(noon, berlin)).toBe(at("2026-03-27T23:00:00Z"));
  expect(dayStart(noon, berlin, 1)).toBe(at("2026-03-28T23:00:00Z"));
  expect(dayStart(noon, berlin, 2)).toBe(at("2026-03-29T22:00:00Z"));
});

test("a time of day is kept on another day", () => {
  expect(onDay(at("2026-03-28T08:00:00Z"), at("2026-03-30T12:00:00Z"), berlin)).toBe(at("2026-03-30T07:00:00Z"));
});
