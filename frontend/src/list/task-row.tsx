"use client";

import clsx from "clsx";
import { Bell, CalendarArrowUp, CalendarDays, CloudOff, Repeat, Trash2 } from "lucide-react";
import { memo } from "react";

import { Priority, type Task } from "@/gen/todo/v1/task_pb";
import { describe } from "@/tasks/rule";
import { isDone, isOverdue, isPending, millis, priorityNames } from "@/tasks/task";
import type { Clock } from "@/time/clock";
import { dueText, timeOfDay } from "@/time/words";
import { Button, IconButton } from "@/ui/button";
import { PriorityIcon } from "@/ui/priority";
import { StatusButton } from "@/ui/status";

import { Highlight } from "./highlight";

export type RowEvents = {
  onOpen: (task: Task) => void;
  onToggle: (task: Task) => void;
  onChoose: (task: Task) => void;
  onMove?: (task: Task) => void;
  onAskDelete: (task: Task | undefined) => void;
  onDelete: (task: Task) => void;
};

type Props = {
  task: Task;
  clock: Clock;
  search: string;
  /** The keyboard is here. */
  current: boolean;
  /** It is open beside the list. */
  open: boolean;
  chosen: boolean;
  /** It is asked whether to delete it. */
  asking: boolean;
  /** Its heading says the day. */
  dated: boolean;
  /** The server has not read its line yet. */
  unread: boolean;
  events: RowEvents;
};

const SHOWN_TAGS = 3;

export const TaskRow = memo(function TaskRow({
  task,
  clock,
  search,
  current,
  open,
  chosen,
  asking,
  dated,
  unread,
  events,
}: Props) {
  if (asking) return <AskDelete task={task} events={events} />;
  const done = isDone(task);
  const [description] = task.description.trim().split("\n");
  return (
    <div
      className={clsx(
        "group @container relative flex items-start gap-2.5 rounded-lg py-2 pr-2.5 pl-2.5 transition-colors pointer-fine:pr-18",
        chosen ? "bg-accent-soft" : open ? "bg-hover" : "hover:bg-hover",
      )}
    >
      <StatusButton task={task} onToggle={() => events.onToggle(task)} />
      <div className="flex min-w-0 flex-1 flex-col gap-x-4 gap-y-1 @xl:flex-row @xl:items-start">
        <div className="min-w-0 flex-1">
          <button
            type="button"
            data-task={task.id}
            tabIndex={current ? 0 : -1}
            aria-expanded={open}
            onClick={(event) => (event.metaKey || event.ctrlKey ? events.onChoose(task) : events.onOpen(task))}
            className={clsx(
              "flex max-w-full items-center gap-1.5 text-left outline-none after:absolute after:inset-0 after:rounded-lg",
              "focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent-ink",
              done && "text-muted line-through",
            )}
          >
            <PriorityIcon level={levelOf(task.priority)} label={`${priorityNames[task.priority]} priority`} />
            <span className="line-clamp-2 min-w-0 break-words @xl:truncate">
              <Highlight text={task.title} search={search} />
            </span>
          </button>
          {description && (
            <p className="truncate pl-[1.375rem] text-[0.8125rem] text-muted">
              <Highlight text={description} search={search} />
            </p>
          )}
        </div>
        {unread ? <Unread /> : <Meta task={task} clock={clock} search={search} dated={dated} />}
      </div>
      <div className="absolute top-1 right-1 z-1 flex rounded-lg bg-hover opacity-0 group-hover:opacity-100 focus-within:opacity-100 pointer-coarse:hidden">
        {events.onMove && (
          <IconButton label={`Move ${task.title} to …`} tabIndex={-1} onClick={() => events.onMove?.(task)}>
            <CalendarArrowUp />
          </IconButton>
        )}
        <IconButton label={`Delete ${task.title}`} tabIndex={-1} onClick={() => events.onAskDelete(task)}>
          <Trash2 />
        </IconButton>
      </div>
    </div>
  );
});

function Unread() {
  return (
    <p className="flex items-center gap-1 pl-[1.375rem] text-xs text-muted @xl:min-h-[1.375rem] @xl:pl-0">
      <CloudOff className="size-3.5 shrink-0" aria-hidden /> Will be read when online
    </p>
  );
}

function levelOf(priority: Priority) {
  return priority === Priority.HIGH ? "high" : priority === Priority.LOW ? "low" : "medium";
}

/** When, how often, how many reminders, and tags. */
function Meta({ task, clock, search, dated }: Pick<Props, "task" | "clock" | "search" | "dated">) {
  const due = millis(task.dueDate);
  const late = isOverdue(task, clock);
  const reminders = task.reminders.filter(isPending).length;
  const more = task.tags.length - SHOWN_TAGS;
  if (due === undefined && !task.recurrence && reminders === 0 && more <= -SHOWN_TAGS) return null;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 pl-[1.375rem] text-xs text-muted @xl:min-h-[1.375rem] @xl:max-w-[60%] @xl:justify-end @xl:pl-0 [&_svg]:size-3.5 [&_svg]:shrink-0">
      {task.tags.length > 0 && (
        <span className="flex min-w-0 flex-wrap gap-1">
          {task.tags.slice(0, SHOWN_TAGS).map((tag) => (
            <span key={tag} className="max-w-36 truncate rounded-md bg-sunken px-1.5 py-0.5">
              <Highlight text={tag} search={search} />
            </span>
          ))}
          {more > 0 && (
            <span className="py-0.5" title={task.tags.slice(SHOWN_TAGS).join(", ")}>
              +{more}
            </span>
          )}
        </span>
      )}
      {reminders > 0 && (
        <span className="flex items-center gap-1" title={`${reminders} reminder${reminders > 1 ? "s" : ""}`}>
          <Bell aria-hidden /> {reminders}
          <span className="sr-only">reminders</span>
        </span>
      )}
      {task.recurrence && (
        <span className="flex min-w-0 items-center gap-1">
          <Repeat aria-hidden />
          <span className="sr-only">Repeats</span>
          <span className="max-w-44 truncate">{describe(task.recurrence)}</span>
        </span>
      )}
      {due !== undefined && (
        <span className={clsx("flex items-center gap-1 whitespace-nowrap", late && "font-medium text-danger")}>
          <CalendarDays aria-hidden />
          <span className="sr-only">{late ? "Overdue since" : "Due"}</span>
          {dated ? (task.dueAllDay ? "All day" : timeOfDay(due, clock.zone)) : dueText(due, task.dueAllDay, clock)}
        </span>
      )}
    </div>
  );
}

function AskDelete({ task, events }: { task: Task; events: RowEvents }) {
  return (
    <div
      role="alertdialog"
      aria-label={`Delete ${task.title}?`}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        events.onAskDelete(undefined);
      }}
      className="flex min-h-11 animate-fade items-center gap-2 rounded-lg bg-danger-soft px-3 py-1.5"
    >
      <p className="min-w-0 flex-1 truncate text-sm text-danger">Delete “{task.title}”?</p>
      <Button size="sm" look="ghost" onClick={() => events.onAskDelete(undefined)}>
        Keep
      </Button>
      <Button size="sm" look="danger" autoFocus onClick={() => events.onDelete(task)} className="font-semibold">
        Delete
      </Button>
    </div>
  );
}
