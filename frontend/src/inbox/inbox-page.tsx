"use client";

import { AlarmClock, BellRing, Check, CheckCheck } from "lucide-react";
import Link from "next/link";
import { useState } from "react";

import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import { useLive } from "@/live/store";
import { NotifySettings } from "@/notify/settings";
import { usePlaces } from "@/shell/places";
import { useShortcuts } from "@/shell/shortcuts";
import { TopBar } from "@/shell/top-bar";
import { millis } from "@/tasks/task";
import { useClock, type Clock } from "@/time/clock";
import { dueText, fromNow, moment } from "@/time/words";
import { instant, local } from "@/time/zone";
import { Button, IconButton } from "@/ui/button";
import { EmptyState } from "@/ui/empty";
import { Menu, MenuItem, MenuLabel } from "@/ui/menu";
import { Skeleton } from "@/ui/skeleton";

import { markAllRead, markRead, older, snooze } from "./actions";

/** How many the page begins with. */
const FIRST = 100;

/** The reminders that rang, newest first. */
export function InboxPage() {
  const { notifications, unread, ready } = useLive();
  const [total, setTotal] = useState(Infinity);
  useShortcuts(usePlaces({}));
  return (
    <main id="main" className="flex min-w-0 flex-1 flex-col">
      <TopBar title="Notifications" count={ready ? unread : undefined}>
        {unread > 0 && (
          <Button size="sm" look="ghost" onClick={() => markAllRead()}>
            <CheckCheck className="size-4" /> <span className="hidden sm:inline">Mark all read</span>
            <span className="sr-only sm:hidden">Mark all read</span>
          </Button>
        )}
      </TopBar>
      <div className="mx-auto min-h-0 w-full max-w-4xl flex-1 overflow-y-auto px-1 pb-16 sm:px-3">
        <NotifySettings />
        {!ready ? (
          <Skeleton rows={5} />
        ) : notifications.length === 0 ? (
          <EmptyState icon={BellRing} title="Nothing has rung yet">
            <p>Write “call mom at 5pm, remind me 10 minutes before”, and it rings here and on every open page.</p>
          </EmptyState>
        ) : (
          <ul aria-label="Notifications" className="space-y-px">
            {notifications.map((one) => (
              <Entry key={one.id} notification={one} />
            ))}
          </ul>
        )}
        {notifications.length >= FIRST && notifications.length < total && (
          <Button
            look="ghost"
            size="sm"
            className="mt-2 w-full"
            onClick={() => void older(notifications.length).then(setTotal)}
          >
            Older
          </Button>
        )}
      </div>
    </main>
  );
}

function Entry({ notification }: { notification: Notification }) {
  const clock = useClock();
  const task = useLive().tasks.get(notification.taskId);
  const rang = millis(notification.triggeredAt) ?? 0;
  const due = millis(notification.dueDate);
  const again = millis(notification.snoozedUntil);
  const unread = !notification.readAt;
  const allDay = task?.dueAllDay === true && millis(task.dueDate) === due;
  return (
    <li className="group relative flex items-start gap-3 rounded-lg px-3 py-2.5 hover:bg-hover">
      <span aria-hidden className={unread ? "mt-2 size-2 shrink-0 rounded-full bg-accent" : "mt-2 size-2 shrink-0"} />
      <div className="min-w-0 flex-1">
        <Link
          href={`/tasks?view=all&task=${notification.taskId}`}
          onClick={() => unread && markRead(notification)}
          className={
            unread
              ? "block truncate font-medium after:absolute after:inset-0"
              : "block truncate text-muted after:absolute after:inset-0"
          }
        >
          {unread && <span className="sr-only">Unread: </span>}
          {notification.taskTitle}
        </Link>
        <p className="text-[0.8125rem] text-muted">
          {due !== undefined && `Due ${dueText(due, allDay, clock)} · `}
          {again !== undefined && again > clock.now ? (
            `rings again ${dueText(again, false, clock)}`
          ) : (
            <span title={moment(rang, clock.zone)}>rang {fromNow(rang, clock.now)}</span>
          )}
        </p>
      </div>
      <div className="relative z-1 flex">
        <SnoozeMenu notification={notification} clock={clock} />
        {unread && (
          <IconButton label={`Mark ${notification.taskTitle} as read`} onClick={() => markRead(notification)}>
            <Check />
          </IconButton>
        )}
      </div>
    </li>
  );
}

const lengths: [label: string, minutes: number][] = [
  ["in 10 minutes", 10],
  ["in an hour", 60],
  ["in 3 hours", 180],
];

function SnoozeMenu({ notification, clock }: { notification: Notification; clock: Clock }) {
  const morning = () => instant({ ...local(clock.tomorrow, clock.zone), hour: 9, minute: 0 }, clock.zone);
  return (
    <Menu
      trigger={
        <IconButton label={`Snooze ${notification.taskTitle}`}>
          <AlarmClock />
        </IconButton>
      }
    >
      <MenuLabel>Ring again</MenuLabel>
      {lengths.map(([label, minutes]) => (
        <MenuItem key={label} onSelect={() => snooze(notification, Date.now() + minutes * 60_000, label)}>
          {label.charAt(0).toUpperCase() + label.slice(1)}
        </MenuItem>
      ))}
      <MenuItem onSelect={() => snooze(notification, morning(), "tomorrow at 9")}>Tomorrow at 9</MenuItem>
    </Menu>
  );
}
