import type { Timestamp } from "@bufbuild/protobuf/wkt";

import { Priority, Status, type Reminder, type Task } from "@/gen/todo/v1/task_pb";
import type { Clock } from "@/time/clock";

export function millis(at: Timestamp | undefined): number | undefined {
  return at && Number(at.seconds) * 1000 + Math.floor(at.nanos / 1e6);
}

export function stamp(at: number): Timestamp {
  const seconds = Math.floor(at / 1000);
  return { $typeName: "google.protobuf.Timestamp", seconds: BigInt(seconds), nanos: (at - seconds * 1000) * 1e6 };
}

/** Reads an instant of a task once: it is asked for often while sorting, and a task does not change. */
function once(read: (task: Task) => Timestamp | undefined, none: number) {
  const known = new WeakMap<Task, number>();
  return (task: Task): number => {
    let at = known.get(task);
    if (at === undefined) {
      at = millis(read(task)) ?? none;
      known.set(task, at);
    }
    return at;
  };
}

/** In milliseconds; a task without one is due never. */
export const due = once(({ dueDate }) => dueDate, Infinity);
export const created = once(({ createdAt }) => createdAt, 0);
export const updated = once(({ updatedAt }) => updatedAt, 0);

export const isDone = (task: Task) => task.status === Status.COMPLETED;

/** A day as such is overdue when it is over. */
export function isOverdue(task: Task, { now, today }: Clock): boolean {
  return !isDone(task) && due(task) < (task.dueAllDay ? today : now);
}

export const isPending = ({ fired, cancelled }: Reminder) => !fired && !cancelled;

export const priorityNames: Record<Priority, string> = {
  [Priority.UNSPECIFIED]: "Medium",
  [Priority.HIGH]: "High",
  [Priority.MEDIUM]: "Medium",
  [Priority.LOW]: "Low",
};

export const statusNames: Record<Status, string> = {
  [Status.UNSPECIFIED]: "Pending",
  [Status.PENDING]: "Pending",
  [Status.IN_PROGRESS]: "In progress",
  [Status.COMPLETED]: "Completed",
};

/** As the server compares text: letters of either case alike. */
export const fold = (text: string) => text.normalize("NFC").toLowerCase();

/** The number of characters as the server counts them: Unicode scalar values. */
export const length = (text: string) => [...text].length;

let last = 0;

/** A UUID v7, also where the page is not served securely; later ones sort behind all earlier ones, and behind `after`. */
export function newId(after?: string): string {
  const least = Math.max(last, after ? parseInt(after.replaceAll("-", "").slice(0, 12), 16) : 0) + 1;
  last = Math.max(Date.now(), least);
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  bytes[0] = ((bytes[0] ?? 0) & 0x0f) | 0x70;
  bytes[2] = ((bytes[2] ?? 0) & 0x3f) | 0x80;
  const hex =
    last.toString(16).padStart(12, "0") + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
