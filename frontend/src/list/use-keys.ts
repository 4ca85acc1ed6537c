"use client";

import { useState, type RefObject } from "react";

import { Priority, type Task } from "@/gen/todo/v1/task_pb";
import { useGoQuery } from "@/shell/navigate";
import { usePlaces } from "@/shell/places";
import { useShortcuts } from "@/shell/shortcuts";
import { toggle, undoLast, update } from "@/tasks/actions";
import { move } from "@/tasks/move";
import type { Query } from "@/tasks/query";
import { priorityNames } from "@/tasks/task";
import { useClock } from "@/time/clock";

type Options = {
  tasks: Task[];
  query: Query;
  chosen: ReadonlySet<string>;
  onChoose: (task: Task) => void;
  onChooseNone: () => void;
  onAskDelete: (task: Task) => void;
  /** The chosen tasks, or the one where the keyboard is. */
  onMove: (task: Task | undefined) => void;
  /** Closes the task that is open. */
  onClose: () => void;
  quickAdd: RefObject<HTMLInputElement | null>;
  search: RefObject<HTMLInputElement | null>;
};

/** Moves through the list and acts on the task where the keyboard is. */
export function useKeys({
  tasks,
  query,
  chosen,
  onChoose,
  onChooseNone,
  onAskDelete,
  onMove,
  onClose,
  quickAdd,
  search,
}: Options) {
  const [current, setCurrent] = useState<string>();
  const goQuery = useGoQuery();
  const clock = useClock();
  const here = tasks.findIndex(({ id }) => id === current);
  const task = tasks[here];

  const step = (by: number) => {
    const next = tasks[here < 0 ? 0 : Math.min(Math.max(here + by, 0), tasks.length - 1)];
    if (!next) return;
    setCurrent(next.id);
    if (query.task) goQuery({ ...query, task: next.id }, "replace");
    focusSoon(next.id);
  };
  const prioritize = (priority: Priority) => {
    if (task) update(task, { priority }, `Priority ${priorityNames[priority].toLowerCase()}`);
  };
  const focus = (input: RefObject<HTMLInputElement | null>) => () => input.current?.focus();
  const acts: Record<string, (event: KeyboardEvent) => void> = {
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    e: () => {
      if (!task) return;
      toggle(task);
      step(1);
    },
    x: () => task && onChoose(task),
    "1": () => prioritize(Priority.HIGH),
    "2": () => prioritize(Priority.MEDIUM),
    "3": () => prioritize(Priority.LOW),
    t: () => task && move([task], clock.today, clock),
    m: () => onMove(task),
    Delete: () => task && onAskDelete(task),
    n: focus(quickAdd),
    "/": focus(search),
    z: () => undoLast(),
    Escape: () => {
      if (chosen.size > 0) onChooseNone();
      else onClose();
    },
  };
  useShortcuts(usePlaces(acts));
  return { task, current, setCurrent };
}

/** After the list has drawn it. */
export function focusSoon(id: string) {
  requestAnimationFrame(() => requestAnimationFrame(() => focusRow(id)));
}

export function focusRow(id: string) {
  document.querySelector<HTMLElement>(`[data-task="${id}"]`)?.focus();
}
