import type { Task } from "@/gen/todo/v1/task_pb";
import type { Group } from "@/tasks/select";

/** One line of a list: a heading or a task. */
export type Row =
  { heading: "overdue" | number; count: number } | { task: Task; /** Its heading says the day. */ dated: boolean };

export function rowsOf(groups: Group[]): Row[] {
  return groups.flatMap(({ heading, tasks }) => [
    ...(heading === undefined ? [] : [{ heading, count: tasks.length }]),
    ...tasks.map((task) => ({ task, dated: typeof heading === "number" })),
  ]);
}
