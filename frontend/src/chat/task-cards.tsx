"use client";

import { usePathname } from "next/navigation";
import { useMemo, useState } from "react";

import type { ToolInvocation } from "@/gen/todo/v1/chat_service_pb";
import { TaskRow, type RowEvents } from "@/list/task-row";
import { useLive } from "@/live/store";
import { useGo, useQuery } from "@/shell/navigate";
import { address } from "@/shell/views";
import { remove, toggle } from "@/tasks/actions";
import { write } from "@/tasks/query";
import { useClock } from "@/time/clock";

import { touched } from "./calls";

/** The tasks that a turn made or changed, as they are now. */
export function TaskCards({ calls }: { calls: ToolInvocation[] }) {
  const { tasks } = useLive();
  const clock = useClock();
  const go = useGo();
  const query = useQuery();
  const beside = usePathname() === "/tasks";
  const [asking, setAsking] = useState<string>();
  const ids = useMemo(() => touched(calls), [calls]);
  const shown = ids.flatMap((id) => tasks.get(id) ?? []);
  if (shown.length === 0) return null;

  const onOpen: RowEvents["onOpen"] = ({ id }) =>
    go(beside ? write({ ...query, task: id }) : `${address("all")}&task=${id}`);
  const events: RowEvents = {
    onOpen,
    onChoose: onOpen,
    onToggle: (task) => toggle(task),
    onAskDelete: (task) => setAsking(task?.id),
    onDelete: (task) => remove(task),
  };
  return (
    <ul aria-label="Made or changed" className="rounded-xl border border-line bg-surface p-0.5">
      {shown.map((task) => (
        <li key={task.id}>
          <TaskRow
            task={task}
            clock={clock}
            search=""
            current
            open={beside && query.task === task.id}
            chosen={false}
            asking={asking === task.id}
            dated={false}
            unread={false}
            events={events}
          />
        </li>
      ))}
    </ul>
  );
}
