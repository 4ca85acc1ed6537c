import { expect, test } from "vitest";

import { clock } from "@/time/clock";

import { dateOf, edges, read, write } from "./range";

const berlin = "Europe/Berlin";
const at = (text: string) => Date.parse(text);
const of = (text: string) => read(new URLSearchParams(text));

test("the address says which days, and whatever else it says is the last 30", () => {
  for (const range of [of("days=7"), of("from=2026-03-28&to=2026-03-30")])
    expect(read(new URL(write(range), "http://x").searchParams)).toEqual(range);
  for (const text of ["", "days=8", "from=2026-03-28", "from=yesterday&to=today"])
    expect(of(text)).toEqual({ last: 30 });
});

test("the last days end with today, and are as long as the clocks make them", () => {
  const found = edges({ last: 7 }, clock(at("2026-03-30T10:00:00Z"), berlin));
  expect(found).toHaveLength(8);
  expect(found.slice(-4).map((edge) => new Date(edge).toISOString())).toEqual([
    "2026-03-27T23:00:00.000Z",
    "2026-03-28T23:00:00.000Z",
    "2026-03-29T22:00:00.000Z",
    "2026-03-30T22:00:00.000Z",
  ]);
});

test("dates count with both ends, also across the change of the clocks", () => {
  const now = clock(at("2026-11-22T10:00:00Z"), berlin);
  const october = edges({ from: "2026-10-24", to: "2026-10-26" }, now);
  expect(october.map((edge) => dateOf(edge, berlin))).toEqual(["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"]);
  expect(edges({ from: "2026-10-26", to: "2026-10-24" }, now)).toEqual(october);
  const march = edges({ from: "2026-03-28", to: "2026-03-30" }, now);
  expect(march.map((edge) => dateOf(edge, berlin))).toEqual(["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]);
});

test("days to come are left out, and there are at most a year of them", () => {
  const now = clock(at("2026-11-22T10:00:00Z"), berlin);
  const found = edges({ from: "2026-11-21", to: "2027-01-01" }, now);
  expect(found.map((edge) => dateOf(edge, berlin))).toEqual(["2026-11-21", "2026-11-22", "2026-11-23"]);
  expect(edges({ from: "2027-01-01", to: "2027-01-02" }, now)).toHaveLength(2);
  expect(edges({ from: "1990-01-01", to: "2026-11-22" }, now)).toHaveLength(367);
});
