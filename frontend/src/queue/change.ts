import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import { BatchAction } from "@/gen/todo/v1/task_service_pb";
import { Status, TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import { stamp } from "@/tasks/task";

/** What the view in which a line was typed gives to its task, unless the line says otherwise. */
export type Given = { tags: string[]; dueDate?: Timestamp };

/** Fields as UpdateTask names them, by our names. */
export const paths = {
  title: "title",
  description: "description",
  status: "status",
  priority: "priority",
  tags: "tags",
  dueDate: "due_date",
  dueAllDay: "due_all_day",
  reminders: "reminders",
  recurrence: "recurrence",
} as const;
export type Patch = Partial<Pick<Task, keyof typeof paths>>;

/** Something that a person did, as plain data. `title` is for telling people which one it was. */
export type Change =
  | { kind: "create"; task: Task; /** As it was typed. */ line?: string }
  /** A task in plain language that the server has not read yet. */
  | { kind: "line"; id: string; line: string; zone: string; given: Given; corrections?: Partial<Patch> }
  | { kind: "update"; id: string; title: string; patch: Partial<Task> }
  | { kind: "complete"; id: string; title: string }
  | { kind: "delete"; id: string; title: string }
  | { kind: "batch"; tasks: { id: string; title: string }[]; action: BatchAction.COMPLETE | BatchAction.DELETE }
  /** `of` is the item that is undone, `revisions` what it became, `by` what it looks like until it is undone. */
  | { kind: "undo"; of: string; revisions: bigint[]; by: Change[] }
  | { kind: "read"; id: string; title: string }
  | { kind: "readAll" }
  | { kind: "snooze"; id: string; title: string; until: number };

/** A change on its way to the server. Ids sort in the order in which things were done. */
export type Item = { id: string; /** When, in milliseconds. */ at: number; change: Change; refused?: string };

/** What is shown. */
export type View = { tasks: Map<string, Task>; notifications: Map<string, Notification> };

/** Shows a change as if it had been made. */
export function apply(change: Change, at: number, view: View): void {
  const { tasks, notifications } = view;
  const patch = (id: string, fields: Partial<Task>) => {
    const held = tasks.get(id);
    if (held) tasks.set(id, { ...held, ...fields });
  };
  const notify = (id: string, fields: Partial<Notification>) => {
    const held = notifications.get(id);
    if (held) notifications.set(id, { ...held, ...fields });
  };
  const complete = (id: string) => patch(id, { status: Status.COMPLETED, completedAt: stamp(at) });
  switch (change.kind) {
    case "create":
      if (!tasks.has(change.task.id)) tasks.set(change.task.id, change.task);
      return;
    case "line":
      if (!tasks.has(change.id)) tasks.set(change.id, unread(change, at));
      return;
    case "update":
      return patch(change.id, change.patch);
    case "complete":
      return complete(change.id);
    case "delete":
      return void tasks.delete(change.id);
    case "batch":
      for (const { id } of change.tasks)
        if (change.action === BatchAction.DELETE) tasks.delete(id);
        else complete(id);
      return;
    case "undo":
      return change.by.forEach((one) => apply(one, at, view));
    case "read":
      return notify(change.id, { readAt: stamp(at) });
    case "readAll":
      return notifications.forEach(({ id, readAt }) => readAt ?? notify(id, { readAt: stamp(at) }));
    case "snooze":
      return notify(change.id, { snoozedUntil: stamp(change.until) });
  }
}

/** The task of a line that nobody has read yet. */
function unread({ id, line, given }: Extract<Change, { kind: "line" }>, at: number): Task {
  const { tags, dueDate } = given;
  const due = { dueDate, dueAllDay: dueDate !== undefined };
  return create(TaskSchema, { id, title: line, tags, ...due, status: Status.PENDING, createdAt: stamp(at) });
}

/** The changes that take a change back in what is shown. */
export function inverse(change: Change, tasks: ReadonlyMap<string, Task>): Change[] {
  const back = (id: string, fields: (keyof Task)[]): Change[] => {
    const held = tasks.get(id);
    if (!held) return [];
    const patch = Object.fromEntries(fields.map((field) => [field, held[field]]));
    return [{ kind: "update", id, title: held.title, patch }];
  };
  const restore = (id: string): Change[] => {
    const task = tasks.get(id);
    return task ? [{ kind: "create", task }] : [];
  };
  const reopen = (id: string) => back(id, ["status", "completedAt", "reminders"]);
  switch (change.kind) {
    case "create":
      return [{ kind: "delete", id: change.task.id, title: change.task.title }];
    case "line":
      return [{ kind: "delete", id: change.id, title: change.line }];
    case "update":
      return back(change.id, Object.keys(change.patch) as (keyof Task)[]);
    case "complete":
      return reopen(change.id);
    case "delete":
      return restore(change.id);
    case "batch":
      return change.tasks.flatMap(({ id }) => (change.action === BatchAction.DELETE ? restore(id) : reopen(id)));
    default:
      return [];
  }
}

/** The task that a change makes. */
export function made(change: Change): string | undefined {
  return change.kind === "create" ? change.task.id : change.kind === "line" ? change.id : undefined;
}

/** Whether a change cannot be made unless the task is. */
export function needs(change: Change, task: string): boolean {
  if (change.kind === "batch") return change.tasks.some(({ id }) => id === task);
  return "id" in change && change.id === task;
}

const fieldNames: Partial<Record<keyof Task, string>> = {
  title: "title",
  description: "description",
  status: "status",
  priority: "priority",
  tags: "tags",
  dueDate: "due date",
  reminders: "reminders",
  recurrence: "recurrence",
};

/** What was to be done, for people. */
export function describe(change: Change): string {
  switch (change.kind) {
    case "create":
      return `Add “${change.line ?? change.task.title}”`;
    case "line":
      return `Add “${change.line}”`;
    case "update": {
      const fields = Object.keys(change.patch).flatMap((key) => fieldNames[key as keyof Task] ?? []);
      return `Change ${fields.join(", ")} of “${change.title}”`;
    }
    case "complete":
      return `Complete “${change.title}”`;
    case "delete":
      return `Delete “${change.title}”`;
    case "batch":
      return `${change.action === BatchAction.DELETE ? "Delete" : "Complete"} ${change.tasks.length} tasks`;
    case "undo":
      return "Undo a change";
    case "read":
      return `Mark “${change.title}” as read`;
    case "readAll":
      return "Mark all as read";
    case "snooze":
      return `Snooze “${change.title}”`;
  }
}
