"use client";

import { useRef, useState, type RefObject } from "react";

import { Priority, type Task } from "@/gen/todo/v1/task_pb";
import { useGo, useGoQuery } from "@/shell/navigate";
import { useShortcuts } from "@/shell/shortcuts";
import { address } from "@/shell/views";
import { toggle, undoLast, update } from "@/tasks/actions";
import type { Query, View } from "@/tasks/query";
import { priorityNames, stamp } from "@/tasks/task";
import { useClock } from "@/time/clock";

type Options = {
  tasks: Task[];
  query: Query;
  chosen: ReadonlySet<string>;
  onChoose: (task: Task) => void;
  onChooseNone: () => void;
  onAskDelete: (task: Task) => void;
  quickAdd: RefObject<HTMLInputElement | null>;
  search: RefObject<HTMLInputElement | null>;
};

/** How long after "g" a second key says where to go, in milliseconds. */
const SEQUENCE = 1_500;
const places: Record<string, View> = { t: "today", u: "upcoming", o: "overdue", a: "all", c: "completed" };

/** Moves through the list and acts on the task where the keyboard is. */
export function useKeys({ tasks, query, chosen, onChoose, onChooseNone, onAskDelete, quickAdd, search }: Options) {
  const [current, setCurrent] = useState<string>();
  const went = useRef(-Infinity);
  const go = useGo();
  const goQuery = useGoQuery();
  const clock = useClock();
  const here = tasks.findIndex(({ id }) => id === current);
  const task = tasks[here];

  const move = (step: number) => {
    const next = tasks[here < 0 ? 0 : Math.min(Math.max(here + step, 0), tasks.length - 1)];
    if (!next) return;
    setCurrent(next.id);
    if (query.task) goQuery({ ...query, task: next.id }, "replace");
    // After the list has drawn it.
    requestAnimationFrame(() => requestAnimationFrame(() => focusRow(next.id)));
  };
  const prioritize = (priority: Priority) => {
    if (task) void update(task, { priority }, `Priority ${priorityNames[priority].toLowerCase()}`);
  };
  const focus = (input: RefObject<HTMLInputElement | null>) => () => input.current?.focus();
  const acts: Record<string, (event: KeyboardEvent) => void> = {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    e: () => {
      if (!task) return;
      void toggle(task);
      move(1);
    },
    x: () => task && onChoose(task),
    "1": () => prioritize(Priority.HIGH),
    "2": () => prioritize(Priority.MEDIUM),
    "3": () => prioritize(Priority.LOW),
    t: () => task && void update(task, { dueDate: stamp(clock.today), dueAllDay: true }, "Due today"),
    Delete: () => task && onAskDelete(task),
    n: focus(quickAdd),
    "/": focus(search),
    z: () => void undoLast(),
    g: ({ timeStamp }) => {
      went.current = timeStamp;
    },
    Escape: () => {
      if (chosen.size > 0) onChooseNone();
      else if (query.task) goQuery({ ...query, task: undefined });
    },
  };
  const place = (key: string, view: View) => (event: KeyboardEvent) => {
    const going = event.timeStamp - went.current < SEQUENCE;
    went.current = -Infinity;
    if (going) go(address(view));
    else acts[key]?.(event);
  };
  const entries = Object.entries(places).map(([key, view]) => [key, place(key, view)] as const);
  useShortcuts({ ...acts, ...Object.fromEntries(entries) });
  return { current, setCurrent };
}

export function focusRow(id: string) {
  document.querySelector<HTMLElement>(`[data-task="${id}"]`)?.focus();
}
