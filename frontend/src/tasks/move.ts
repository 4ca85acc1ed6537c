import type { Task } from "@/gen/todo/v1/task_pb";
import type { Clock } from "@/time/clock";
import { dayName } from "@/time/words";
import { dayStart, onDay } from "@/time/zone";

import { quoted, updateAll, type Patch } from "./actions";
import { millis, stamp } from "./task";

/** The due date on another day: at the same time of day, or the day as such if it had no time. */
export function onOtherDay({ dueDate, dueAllDay }: Task, day: number, { zone }: Clock): Patch {
  const due = millis(dueDate);
  if (due === undefined || dueAllDay) return { dueDate: stamp(dayStart(day, zone)), dueAllDay: true };
  return { dueDate: stamp(onDay(due, day, zone)), dueAllDay: false };
}

/** Moves tasks to a day, or takes their dates away; those that are there already stay untouched. */
export function move(tasks: Task[], day: number | undefined, clock: Clock) {
  const changes = tasks
    .map((task) => ({ task, patch: day === undefined ? nowhen : onOtherDay(task, day, clock) }))
    .filter(({ task, patch }) => millis(task.dueDate) !== millis(patch.dueDate));
  const [first] = changes;
  if (!first) return;
  const what = changes.length === 1 ? quoted(first.task) : `${changes.length} tasks`;
  updateAll(changes, day === undefined ? `No date for ${what}` : `Moved ${what} to ${dayName(day, clock)}`);
}

const nowhen: Patch = { dueDate: undefined, dueAllDay: false };

/** The days that are a key away; weeks begin on `weekStart`, 1 for Monday to 7 for Sunday. */
export function soonDays({ now, zone }: Clock, weekStart: number): { name: string; day: number }[] {
  const weekday = new Date(now).toLocaleDateString("en", { weekday: "short", timeZone: zone });
  const today = 1 + ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(weekday);
  const toNext = ((weekStart - today + 6) % 7) + 1;
  return [
    { name: "Today", day: dayStart(now, zone) },
    { name: "Tomorrow", day: dayStart(now, zone, 1) },
    { name: "Next week", day: dayStart(now, zone, toNext) },
  ];
}
