"use client";

import { useEffect } from "react";

import type { Notification as Rung } from "@/gen/todo/v1/notification_service_pb";
import { markRead } from "@/inbox/actions";
import { current, onNotification } from "@/live/store";
import { useGo } from "@/shell/navigate";
import { millis } from "@/tasks/task";
import { toast } from "@/ui/toast";

import { looking, tellLooking } from "./looking";
import { permission } from "./permission";
import { close, show } from "./system";
import { worker } from "./worker";

/** What the worker says when one of its notifications was clicked. */
type Clicked = { open?: { task: string; notification: string } };

/** What rang longer ago is not told any more, in milliseconds; as the server has it for push. */
const STALE = 3_600_000;

/**
 * Tells of reminders as they ring: who looks at a tab sees it there; otherwise the tab that watches has the system tell
 * it, once for all tabs.
 */
export function useRings() {
  const go = useGo();
  useEffect(() => {
    const open = (task: string, id: string) => {
      window.focus();
      markRead(current().notifications.find((known) => known.id === id) ?? { id, taskTitle: "" });
      go(`/tasks?view=all&task=${task}`);
    };
    const ring = (rung: Rung) => {
      const { id, taskId, taskTitle } = rung;
      if (Date.now() - (millis(rung.triggeredAt) ?? 0) > STALE) return;
      if (looking()) toast(`Reminder: ${taskTitle}`, { action: { label: "Open", run: () => open(taskId, id) } });
      else if (current().leads) void show(rung, () => open(taskId, id));
    };
    const hear = (notification: Rung, rings: boolean) => {
      if (rings) ring(notification);
      else if (current().leads && (notification.readAt || notification.snoozedUntil)) void close(notification.id);
    };
    const clicked = ({ data }: MessageEvent<Clicked>) => data.open && open(data.open.task, data.open.notification);
    // Ready before the first of them rings.
    if (permission() === "granted") void worker();
    const ends = [tellLooking(), onNotification(hear)];
    navigator.serviceWorker?.addEventListener("message", clicked);
    return () => {
      for (const end of ends) end();
      navigator.serviceWorker?.removeEventListener("message", clicked);
    };
  }, [go]);
}
