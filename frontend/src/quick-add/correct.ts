import { create } from "@bufbuild/protobuf";

import type { ParseTaskResponse } from "@/gen/todo/v1/task_service_pb";
import { TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import type { Patch } from "@/tasks/actions";
import { fold } from "@/tasks/task";

import type { Part } from "./reading";

/** What was chosen by hand; it stands whatever the text says. */
export type Corrections = Omit<Patch, "title" | "description" | "status">;

export function corrected(read: ParseTaskResponse, corrections: Corrections): ParseTaskResponse {
  return { ...read, ...corrections };
}

/** A reading as a task, for those who edit tasks. */
export function taskOf({ title, priority, tags, dueDate, dueAllDay, reminders, recurrence }: ParseTaskResponse): Task {
  return create(TaskSchema, { title, priority, tags, dueDate, dueAllDay, reminders, recurrence });
}

/** Corrections without what was chosen for a part. */
export function without(corrections: Corrections, { kind, label }: Part): Corrections {
  const { dueDate, dueAllDay, recurrence, reminders, priority, tags } = corrections;
  const due = "dueDate" in corrections && kind !== "due" ? { dueDate, dueAllDay } : {};
  return {
    ...due,
    ...("recurrence" in corrections && kind !== "recurrence" && { recurrence }),
    ...(reminders && kind !== "reminder" && { reminders }),
    ...(priority && kind !== "priority" && { priority }),
    ...(tags && { tags: kind === "tag" ? tags.filter((tag) => fold(tag) !== fold(label)) : tags }),
  };
}
