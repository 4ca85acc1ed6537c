import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { Priority, Status, TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import { clock } from "@/time/clock";
import { dayHeading } from "@/time/words";

import { active, cleared, read, write } from "./query";
import type { Draft } from "./actions";
import { count, select } from "./select";
import { stamp } from "./task";

const zone = "Europe/Berlin";
const noon = clock(Date.parse("2026-03-04T11:00:00Z"), zone);

function task(title: string, due?: string, more: Draft = {}): Task {
  const dueDate = due ? stamp(Date.parse(due)) : undefined;
  return create(TaskSchema, { id: title, title, status: Status.PENDING, priority: Priority.MEDIUM, dueDate, ...more });
}

const all = [
  task("someday"),
  task("yesterday", "2026-03-03T08:00:00Z"),
  task("this morning", "2026-03-04T07:00:00Z", { tags: ["Home"], priority: Priority.HIGH }),
  task("today as such", "2026-03-03T23:00:00Z", { dueAllDay: true }),
  task("tonight", "2026-03-04T22:30:00Z", { status: Status.IN_PROGRESS, tags: ["home", "garden"] }),
  task("tomorrow", "2026-03-04T23:30:00Z", { description: "50% of _it_" }),
  task("done", "2026-03-04T08:00:00Z", { status: Status.COMPLETED }),
];

const shown = (address: string) =>
  select(all, read(new URLSearchParams(address)), noon).map(({ heading, tasks }) => [
    typeof heading === "number" ? dayHeading(heading, noon) : heading,
    ...tasks.map((one) => one.title),
  ]);

test("today is what is late, under its heading, and what this day brings in the owner's zone", () => {
  expect(shown("view=today")).toEqual([
    ["overdue", "yesterday"],
    ["Today · Wednesday, March 4", "today as such", "this morning", "tonight"],
  ]);
});

test("a day as such is not overdue before it is over", () => {
  expect(shown("view=overdue")).toEqual([[undefined, "yesterday", "this morning"]]);
});

test("what is to come stands by days, those of the next week also when they are empty", () => {
  expect(shown("view=upcoming")).toEqual([
    ["overdue", "yesterday"],
    ["Today · Wednesday, March 4", "today as such", "this morning", "tonight"],
    ["Tomorrow · Thursday, March 5", "tomorrow"],
    ["Friday, March 6"],
    ["Saturday, March 7"],
    ["Sunday, March 8"],
    ["Monday, March 9"],
    ["Tuesday, March 10"],
  ]);
  expect(shown("view=upcoming&tag=garden")).toEqual([["Today · Wednesday, March 4", "tonight"]]);
  expect(shown("view=upcoming&q=nothing")).toEqual([]);
});

test("empty days stand between others, across the change of the clocks and beyond the week", () => {
  const friday = clock(Date.parse("2026-03-27T11:00:00Z"), zone);
  const found = [
    task("sunday", "2026-03-29T10:00:00Z"),
    task("later", "2026-04-20T10:00:00Z"),
    task("next year", "2027-04-20T10:00:00Z"),
  ];
  const groups = select(found, read(new URLSearchParams("view=upcoming")), friday);
  expect(groups.map(({ heading, tasks }) => `${dayHeading(Number(heading), friday)}: ${tasks.length}`)).toEqual([
    "Today · Friday, March 27: 0",
    "Tomorrow · Saturday, March 28: 0",
    "Sunday, March 29: 1",
    "Monday, March 30: 0",
    "Tuesday, March 31: 0",
    "Wednesday, April 1: 0",
    "Thursday, April 2: 0",
    "Monday, April 20: 1",
    "Tuesday, April 20, 2027: 1",
  ]);
});

test("filters combine, tags all and priorities any", () => {
  expect(shown("view=all&tag=HOME&tag=garden")).toEqual([[undefined, "tonight"]]);
  expect(shown("view=all&priority=high&priority=low")).toEqual([[undefined, "this morning"]]);
  expect(shown("view=all&q=0%25 OF _")).toEqual([[undefined, "tomorrow"]]);
  expect(shown("view=all&status=completed")).toEqual([[undefined, "done"]]);
});

test("what has no due date comes last either way", () => {
  for (const order of ["asc", "desc"]) expect(shown(`view=all&order=${order}`)[0]?.at(-1)).toBe("someday");
});

test("views and tabs are counted", () => {
  const counts = count(all, noon);
  expect(counts).toMatchObject({ today: 4, upcoming: 5, overdue: 2, all: 6, completed: 1 });
  expect(counts.states).toEqual({ open: 6, pending: 5, in_progress: 1, completed: 1 });
  expect(counts.tags).toEqual([
    { tag: "Home", count: 2 },
    { tag: "garden", count: 1 },
  ]);
});

test("an address is read as it was written, and says nothing that is as ever", () => {
  const address = "/tasks?view=all&status=in_progress&priority=high&tag=a%26b&q=x+y&sort=title&order=desc&task=1";
  const query = read(new URLSearchParams(address.split("?")[1]));
  expect(write(query)).toBe(address);
  expect(active(query)).toBe(4);
  expect(active(cleared(query))).toBe(0);
  expect(write(read(new URLSearchParams()))).toBe("/tasks?view=today");
});
