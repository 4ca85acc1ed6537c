import { Priority, Status, type Task } from "@/gen/todo/v1/task_pb";
import type { Clock } from "@/time/clock";
import { dayStart } from "@/time/zone";

import { active, type Level, type Query, type Sort, type State } from "./query";
import { created, due, fold, isDone, isOverdue, updated } from "./task";

/** Tasks under a heading, if they have one: what is overdue, or the day that begins then. */
export type Group = { heading?: "overdue" | number; tasks: Task[] };

const priorities: Record<Level, Priority> = { high: Priority.HIGH, medium: Priority.MEDIUM, low: Priority.LOW };
const statuses: Record<State, Status[]> = {
  open: [Status.PENDING, Status.IN_PROGRESS],
  pending: [Status.PENDING],
  in_progress: [Status.IN_PROGRESS],
  completed: [Status.COMPLETED],
};

const byText = new Intl.Collator(undefined, { sensitivity: "base", numeric: true }).compare;

type Compare = (a: Task, b: Task) => number;
const by =
  (key: (task: Task) => number): Compare =>
  (a, b) => {
    const [left, right] = [key(a), key(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };

const orders: Record<Sort, Compare> = {
  due: by(due),
  priority: by(({ priority }) => priority),
  title: (a, b) => byText(a.title, b.title),
  created: by((task) => -created(task)),
  updated: by((task) => -updated(task)),
};
const ties: Compare[] = [orders.due, orders.priority, orders.created, (a, b) => (a.id < b.id ? -1 : 1)];

function order({ sort, reverse }: Query): Compare {
  const way = reverse ? -1 : 1;
  return (a, b) => {
    // As on the server: what has no due date comes last either way.
    if (sort === "due" && !a.dueDate !== !b.dueDate) return a.dueDate ? -1 : 1;
    const first = orders[sort](a, b) * way;
    if (first !== 0) return first;
    for (const tie of ties) {
      const next = tie(a, b);
      if (next !== 0) return next;
    }
    return 0;
  };
}

function inView(task: Task, { view, state }: Query, clock: Clock): boolean {
  if (view === "all") return statuses[state].includes(task.status);
  if (view === "completed") return isDone(task);
  if (isDone(task)) return false;
  if (view === "overdue") return isOverdue(task, clock);
  if (view === "today") return due(task) < clock.tomorrow;
  return task.dueDate !== undefined;
}

/** Whether a task matches the filters: any of the priorities, all of the tags, the text somewhere. */
export function matches(task: Task, { priority, tag, search }: Query): boolean {
  if (priority.length > 0 && !priority.some((level) => priorities[level] === task.priority)) return false;
  if (!tag.every((one) => task.tags.some((own) => fold(own) === fold(one)))) return false;
  const text = fold(search.trim());
  return !text || [task.title, task.description, ...task.tags].some((part) => fold(part).includes(text));
}

/** The tasks of a query, in order, under their headings. */
export function select(tasks: Iterable<Task>, query: Query, clock: Clock): Group[] {
  const found = [...tasks].filter((task) => inView(task, query, clock) && matches(task, query)).sort(order(query));
  if (query.sort !== "due" || query.reverse || query.view === "all" || query.view === "overdue")
    return [{ tasks: found }];
  if (query.view === "completed") return [{ tasks: found }];
  const late = found.filter((task) => isOverdue(task, clock) && due(task) < clock.today);
  // What is late is first, because all is in order of due dates.
  const rest = found.slice(late.length);
  const groups: Group[] = late.length > 0 ? [{ heading: "overdue", tasks: late }] : [];
  if (query.view === "today") return [...groups, ...today(rest, late, clock)];
  return [...groups, ...days(rest, clock, found.length > 0 && active(query) === 0 ? 7 : 0)];
}

function today(rest: Task[], late: Task[], clock: Clock): Group[] {
  if (rest.length === 0) return [];
  return [{ heading: late.length > 0 ? clock.today : undefined, tasks: rest }];
}

/** By days; of the next `shown` ones those without a task, too: something can be put there. */
function days(sorted: Task[], { now, zone }: Clock, shown: number): Group[] {
  const groups: Group[] = [];
  let next = 0;
  const until = (end: number) => {
    while (next < shown && dayStart(now, zone, next) < end) {
      groups.push({ heading: dayStart(now, zone, next), tasks: [] });
      next += 1;
    }
  };
  let end = -Infinity;
  for (const task of sorted) {
    const at = due(task);
    if (at >= end) {
      const heading = dayStart(at, zone);
      end = dayStart(at, zone, 1);
      until(heading);
      if (dayStart(now, zone, next) === heading) next += 1;
      groups.push({ heading, tasks: [] });
    }
    groups.at(-1)?.tasks.push(task);
  }
  until(Infinity);
  return groups;
}

export type Counts = {
  today: number;
  upcoming: number;
  overdue: number;
  all: number;
  completed: number;
  states: Record<State, number>;
  priorities: Record<Level, number>;
  /** Open tasks by tag, the most used first. */
  tags: { tag: string; count: number }[];
};

/** The numbers beside the views, of all tasks. */
export function count(tasks: Iterable<Task>, clock: Clock): Counts {
  const counts: Counts = {
    today: 0,
    upcoming: 0,
    overdue: 0,
    all: 0,
    completed: 0,
    states: { open: 0, pending: 0, in_progress: 0, completed: 0 },
    priorities: { high: 0, medium: 0, low: 0 },
    tags: [],
  };
  const spellings = new Map<string, number>();
  for (const task of tasks) {
    if (isDone(task)) {
      counts.completed += 1;
      continue;
    }
    counts.all += 1;
    if (task.status === Status.IN_PROGRESS) counts.states.in_progress += 1;
    counts.today += due(task) < clock.tomorrow ? 1 : 0;
    counts.upcoming += task.dueDate ? 1 : 0;
    counts.overdue += isOverdue(task, clock) ? 1 : 0;
    counts.priorities[task.priority === Priority.HIGH ? "high" : task.priority === Priority.LOW ? "low" : "medium"] +=
      1;
    for (const tag of task.tags) spellings.set(tag, (spellings.get(tag) ?? 0) + 1);
  }
  const tags = new Map<string, { tag: string; count: number }>();
  for (const [tag, count] of spellings) {
    const known = tags.get(fold(tag));
    if (known) known.count += count;
    else tags.set(fold(tag), { tag, count });
  }
  const { all: open, completed, states } = counts;
  counts.states = { ...states, open, completed, pending: open - states.in_progress };
  counts.tags = [...tags.values()].sort((a, b) => b.count - a.count || byText(a.tag, b.tag));
  return counts;
}
