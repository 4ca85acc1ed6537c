/** Which tasks are shown, as it stands in the address. */

export const views = ["today", "upcoming", "overdue", "all", "completed"] as const;
export const states = ["open", "pending", "in_progress", "completed"] as const;
export const levels = ["high", "medium", "low"] as const;
export const sorts = ["due", "priority", "title", "created", "updated"] as const;

export type View = (typeof views)[number];
export type State = (typeof states)[number];
export type Level = (typeof levels)[number];
export type Sort = (typeof sorts)[number];

export type Query = {
  view: View;
  state: State;
  priority: Level[];
  tag: string[];
  search: string;
  sort: Sort;
  reverse: boolean;
  /** The task that is open beside the list. */
  task?: string;
};

const defaults: Record<View, Sort> = {
  today: "due",
  upcoming: "due",
  overdue: "due",
  all: "due",
  completed: "updated",
};

function oneOf<T extends string>(known: readonly T[], value: string | null, otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise;
}

export function read(query: URLSearchParams): Query {
  const view = oneOf(views, query.get("view"), "today");
  return {
    view,
    state: oneOf(states, query.get("status"), "open"),
    priority: levels.filter((level) => query.getAll("priority").includes(level)),
    tag: query.getAll("tag"),
    search: query.get("q") ?? "",
    sort: oneOf(sorts, query.get("sort"), defaults[view]),
    reverse: query.get("order") === "desc",
    task: query.get("task") ?? undefined,
  };
}

/** The address that says so; what is as ever is left out. */
export function write(query: Query): string {
  const out = new URLSearchParams({ view: query.view });
  if (query.state !== "open") out.set("status", query.state);
  for (const level of query.priority) out.append("priority", level);
  for (const tag of query.tag) out.append("tag", tag);
  if (query.search) out.set("q", query.search);
  if (query.sort !== defaults[query.view]) out.set("sort", query.sort);
  if (query.reverse) out.set("order", "desc");
  if (query.task) out.set("task", query.task);
  return `/tasks?${out}`;
}

/** How many filters narrow the view. */
export function active({ view, state, priority, tag, search }: Query): number {
  return (view === "all" && state !== "open" ? 1 : 0) + priority.length + tag.length + (search ? 1 : 0);
}

export function cleared(query: Query): Query {
  return { ...query, state: "open", priority: [], tag: [], search: "" };
}
