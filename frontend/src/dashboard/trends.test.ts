import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { Status, TaskSchema } from "@/gen/todo/v1/task_pb";
import { stamp } from "@/tasks/task";
import { clock } from "@/time/clock";

import { edges } from "./range";
import { completed, overdue } from "./trends";

const at = (text: string) => Date.parse(text);
const when = (text: string) => stamp(at(text));
const berlin = clock(at("2026-03-31T10:00:00Z"), "Europe/Berlin");
/** From the 28th, a Saturday, over the shorter Sunday to the Tuesday whose noon it is. */
const days = edges({ from: "2026-03-28", to: "2026-03-31" }, berlin);

const task = (fields: MessageInitShape<typeof TaskSchema>) =>
  create(TaskSchema, { createdAt: when("2026-01-01T00:00:00Z"), ...fields });
const done = (text: string, fields: MessageInitShape<typeof TaskSchema> = {}) =>
  task({ status: Status.COMPLETED, completedAt: when(text), ...fields });

test("a completion belongs to the day of the person's clock", () => {
  const tasks = [
    done("2026-03-27T22:59:59.999Z"),
    done("2026-03-27T23:00:00Z"),
    done("2026-03-28T22:59:59Z"),
    done("2026-03-28T23:00:00Z"),
    done("2026-03-29T21:59:59Z"),
    done("2026-03-29T22:00:00Z"),
    task({ completedAt: when("2026-03-30T08:00:00Z") }),
  ];
  expect(completed(tasks, days)).toEqual([2, 2, 1, 0]);
});

test("a task is late from its due date until it is completed", () => {
  const late = { dueDate: when("2026-03-28T09:00:00Z") };
  expect(overdue([task(late)], days, berlin.now)).toEqual([1, 1, 1, 1]);
  expect(overdue([done("2026-03-30T08:00:00Z", late)], days, berlin.now)).toEqual([1, 1, 0, 0]);
  expect(overdue([done("2026-03-28T08:00:00Z", late)], days, berlin.now)).toEqual([0, 0, 0, 0]);
  expect(overdue([task({ dueDate: when("2026-03-01T09:00:00Z") })], days, berlin.now)).toEqual([1, 1, 1, 1]);
});

test("nothing is late before it exists, nor what is due later today", () => {
  const old = { dueDate: when("2026-03-01T09:00:00Z") };
  expect(overdue([task({ ...old, createdAt: when("2026-03-30T12:00:00Z") })], days, berlin.now)).toEqual([0, 0, 1, 1]);
  expect(overdue([task({ dueDate: when("2026-03-31T09:59:00Z") })], days, berlin.now)).toEqual([0, 0, 0, 1]);
  expect(overdue([task({ dueDate: when("2026-03-31T10:01:00Z") })], days, berlin.now)).toEqual([0, 0, 0, 0]);
  expect(overdue([task({})], days, berlin.now)).toEqual([0, 0, 0, 0]);
});

test("a day as such is late when it is over", () => {
  const on = (text: string) => task({ dueAllDay: true, dueDate: when(text) });
  expect(overdue([on("2026-03-28T23:00:00Z")], days, berlin.now)).toEqual([0, 0, 1, 1]);
  expect(overdue([on("2026-03-26T23:00:00Z")], days, berlin.now)).toEqual([1, 1, 1, 1]);
  expect(overdue([on("2026-03-30T22:00:00Z")], days, berlin.now)).toEqual([0, 0, 0, 0]);
});
