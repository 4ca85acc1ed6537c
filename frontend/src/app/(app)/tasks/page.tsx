import type { Metadata } from "next";

import { TasksPage } from "@/list/tasks-page";

export const metadata: Metadata = { title: "Tasks" };

export default function Page() {
  return <TasksPage />;
}
