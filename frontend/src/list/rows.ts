import type { Task } from "@/gen/todo/v1/task_pb";
import type { Group } from "@/tasks/select";

/** One line of a list: a heading or a task. `day` is the beginning of the day that the heading above says. */
export type Row = { heading: "overdue" | number; count: number; day?: number } | { task: Task; day?: number };

export function rowsOf(groups: Group[]): Row[] {
  return groups.flatMap(({ heading, tasks }) => {
    const day = typeof heading === "number" ? heading : undefined;
    return [
      ...(heading === undefined ? [] : [{ heading, count: tasks.length, day }]),
      ...tasks.map((task) => ({ task, day })),
    ];
  });
}
