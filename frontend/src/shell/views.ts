import { CalendarDays, CheckCircle2, Inbox, Sun, TriangleAlert, type LucideIcon } from "lucide-react";

import { cleared, read, write, type Query, type View } from "@/tasks/query";

export const viewNames: Record<View, string> = {
  today: "Today",
  upcoming: "Upcoming",
  overdue: "Overdue",
  all: "All tasks",
  completed: "Completed",
};

export const viewIcons: Record<View, LucideIcon> = {
  today: Sun,
  upcoming: CalendarDays,
  overdue: TriangleAlert,
  all: Inbox,
  completed: CheckCircle2,
};

const plain = cleared(read(new URLSearchParams()));

/** The address of a view as such, or with one filter. */
export function address(view: View, filter: Partial<Pick<Query, "tag" | "priority">> = {}) {
  return write({ ...plain, view, sort: view === "completed" ? "updated" : "due", ...filter });
}
