import type { Task } from "@/gen/todo/v1/task_pb";
import { isDone, millis } from "@/tasks/task";

/** How many of the sorted numbers are not after `at`. */
function upTo(sorted: readonly number[], at: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many tasks were completed on each day: those that still are. `edges` are when the days begin, and the last one ends. */
export function completed(tasks: Iterable<Task>, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const task of tasks) {
    const at = isDone(task) ? millis(task.completedAt) : undefined;
    const day = at === undefined ? -1 : upTo(edges, at) - 1;
    if (day in counts) counts[day] = (counts[day] ?? 0) + 1;
  }
  return counts;
}

/**
 * How many tasks were open and past their due date at the end of each day, or now. By the due dates as they are: what was
 * put off counts as if it had always been due then.
 */
export function overdue(tasks: Iterable<Task>, edges: readonly number[], now: number): number[] {
  const ends = edges.slice(1).map((end) => Math.min(end, now));
  const changes = new Array<number>(ends.length + 1).fill(0);
  const change = (day: number, by: number) => (changes[day] = (changes[day] ?? 0) + by);
  for (const task of tasks) {
    const due = millis(task.dueDate);
    if (due === undefined) continue;
    // A day as such is late when it is over; before the first edge it always is.
    const late = task.dueAllDay ? (edges[upTo(edges, due)] ?? Infinity) : due;
    const first = upTo(ends, Math.max(late, millis(task.createdAt) ?? 0));
    const last = upTo(ends, (isDone(task) && millis(task.completedAt)) || Infinity);
    if (first >= last) continue;
    change(first, 1);
    change(last, -1);
  }
  let open = 0;
  return ends.map((_, day) => (open += changes[day] ?? 0));
}
