"use client";

import { CalendarOff } from "lucide-react";
import { useRef, type KeyboardEvent } from "react";

import type { Task } from "@/gen/todo/v1/task_pb";
import { useLive } from "@/live/store";
import { quoted } from "@/tasks/actions";
import { soonDays } from "@/tasks/move";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { shortDay } from "@/time/words";
import { Button } from "@/ui/button";
import Calendar from "@/ui/calendar";
import { Dialog } from "@/ui/dialog";
import { Kbd } from "@/ui/kbd";

type Props = { tasks: Task[]; onMove: (day: number | undefined) => void; onClose: () => void };

/** Asks to which day tasks go: one that is a key away, or any. */
export function MoveDialog({ tasks, onMove, onClose }: Props) {
  const clock = useClock();
  const choices = useRef<HTMLDivElement>(null);
  const { weekStart } = useLive();
  const days = soonDays(clock, weekStart);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(choices.current?.querySelectorAll("button") ?? [])];
    const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = days[Number(event.key) - 1];
    if (!chosen && (step === undefined || here < 0)) return;
    // The same key is not for the list, too.
    event.preventDefault();
    if (chosen) return onMove(chosen.day);
    buttons[(here + (step ?? 0) + buttons.length) % buttons.length]?.focus();
  };
  const title = tasks.length === 1 && tasks[0] ? `Move ${quoted(tasks[0])} to` : `Move ${tasks.length} tasks to`;
  return (
    <Dialog open onClose={onClose} title={title}>
      <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_auto]" onKeyDown={onKeyDown}>
        <div ref={choices} className="flex flex-col gap-1">
          {days.map(({ name, day }, index) => (
            <Button
              key={name}
              look="ghost"
              autoFocus={index === 0}
              className="justify-start"
              onClick={() => onMove(day)}
            >
              <Kbd className="pointer-coarse:hidden">{index + 1}</Kbd>
              <span className="text-ink">{name}</span>
              <span className="ml-auto pl-4 text-xs font-normal">{shortDay(day, clock.zone)}</span>
            </Button>
          ))}
          <Button look="ghost" className="justify-start" onClick={() => onMove(undefined)}>
            <CalendarOff className="size-5 pointer-coarse:hidden" />
            <span className="text-ink">No date</span>
          </Button>
        </div>
        <div className="-mx-3 sm:mx-0 sm:rounded-xl sm:border sm:border-line">
          <Calendar
            value={tasks.length === 1 ? millis(tasks[0]?.dueDate) : undefined}
            zone={clock.zone}
            weekStart={weekStart}
            autoFocus={false}
            onChange={(day) => onMove(day.getTime())}
          />
        </div>
      </div>
    </Dialog>
  );
}
