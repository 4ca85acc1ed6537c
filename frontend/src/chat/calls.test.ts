import { create, type JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { ToolInvocationSchema } from "@/gen/todo/v1/chat_service_pb";

import { rows, touched } from "./calls";

const call = (toolName: string, result: JsonObject, success = true) =>
  create(ToolInvocationSchema, { toolName, result, success });

test("what was asked is read as lines without ids", () => {
  const asked = {
    id: "1",
    title: "pay rent",
    due_date: "2026-12-01T08:00:00Z",
    due_all_day: true,
    status: ["pending", "in_progress"],
    tags: [],
    recurrence: { recurrence_type: "rrule", rrule: "FREQ=MONTHLY;BYMONTHDAY=1", time_zone: "Europe/Berlin" },
    reminders: [{ before_due_seconds: 3600 }, { before_due_seconds: 0 }],
  };
  const read = Object.fromEntries(rows(asked, "UTC").map(({ name, value }) => [name, value]));
  expect(read).toMatchObject({
    Title: "pay rent",
    Status: "pending, in progress",
    Repeats: "Monthly on the 1st",
    Reminders: "1 hour before\nWhen it is due",
  });
  expect(Object.keys(read)).toEqual(["Title", "Status", "Due", "Repeats", "Reminders"]);
  expect(read.Due).not.toContain(":");
});

test("tasks that were made or changed are found, once each", () => {
  const calls = [
    call("add_task", { id: "a" }),
    call("update_task", { id: "a" }),
    call("undo_change", { task: { id: "b" } }),
    call("undo_change", { task: null, revision: 3 }),
    call("batch_change", { tasks: [{ id: "c" }] }),
    call("batch_change", { tasks: [{ id: "previewed" }], confirm_token: "x" }),
    call("list_tasks", { tasks: [{ id: "listed" }] }),
    call("delete_task", { id: "deleted" }),
    call("complete_task", { id: "failed" }, false),
  ];
  expect(touched(calls)).toEqual(["a", "b", "c"]);
});
