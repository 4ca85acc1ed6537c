"use client";

import { CalendarDays } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";

import type { Task } from "@/gen/todo/v1/task_pb";
import { useLive } from "@/live/store";
import type { Patch } from "@/tasks/actions";
import { isOverdue, millis, stamp } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { dayName, dueText, fullDay } from "@/time/words";
import { dayStart, instant, local, onDay } from "@/time/zone";
import { Button } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Popover } from "@/ui/popover";

import { ClearButton, Labelled } from "./labelled";

const Calendar = dynamic(() => import("@/ui/calendar"), { ssr: false });

type Props = { task: Task; onSave: (patch: Patch, said?: string) => void };

/** The day, and unless the day as such is meant the time, in the owner's zone. */
export function DueField({ task, onSave }: Props) {
  const [open, setOpen] = useState(false);
  const clock = useClock();
  const { zone } = clock;
  const { weekStart } = useLive();
  const due = millis(task.dueDate);
  const allDay = due === undefined || task.dueAllDay;
  const save = (at: number, dueAllDay: boolean) =>
    onSave({ dueDate: stamp(at), dueAllDay }, `Due ${dueText(at, dueAllDay, clock)}`);
  const setDay = (day: number) => {
    setOpen(false);
    save(allDay ? dayStart(day, zone) : onDay(due, day, zone), allDay);
  };
  const setTime = (text: string) => {
    const [hour = 0, minute = 0] = text.split(":").map(Number);
    if (due === undefined) return;
    if (text) save(instant({ ...local(due, zone), hour, minute }, zone), false);
    else save(dayStart(due, zone), true);
  };
  return (
    <Labelled
      label="Due"
      aside={
        due !== undefined && (
          <ClearButton
            label="Clear the due date"
            onClick={() => onSave({ dueDate: undefined, dueAllDay: false }, "No due date")}
          />
        )
      }
    >
      <div className="flex flex-wrap gap-2">
        <Popover
          open={open}
          onOpen={setOpen}
          label="Choose a day"
          trigger={
            <Button className={isOverdue(task, clock) ? "flex-1 justify-start text-danger" : "flex-1 justify-start"}>
              <CalendarDays className="size-4" aria-hidden />
              {due === undefined ? <span className="text-muted">No date</span> : fullDay(due, zone)}
            </Button>
          }
        >
          <Calendar value={due} zone={zone} weekStart={weekStart} onChange={(day) => setDay(day.getTime())} />
        </Popover>
        {due !== undefined && <TimeInput key={due} value={allDay ? "" : timeText(due, zone)} onSave={setTime} />}
      </div>
      <div className="flex flex-wrap gap-1.5 pt-0.5">
        {[0, 1, 7].map((days) => {
          const day = dayStart(clock.now, zone, days);
          return (
            <Button key={days} size="sm" look="ghost" className="bg-sunken" onClick={() => setDay(day)}>
              {days === 7 ? "In a week" : dayName(day, clock)}
            </Button>
          );
        })}
      </div>
      {due !== undefined && (
        <p className="text-xs text-muted">{allDay ? "All day" : `Times are in ${zone.replaceAll("_", " ")}.`}</p>
      )}
    </Labelled>
  );
}

/** Saves when it is left, because a time is typed in parts. */
function TimeInput({ value, onSave }: { value: string; onSave: (value: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <input
      type="time"
      aria-label="Time; empty for the whole day"
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => text !== value && onSave(text)}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      className={`${inputClass} h-9 w-32! text-sm pointer-coarse:h-11`}
    />
  );
}

function timeText(at: number, zone: string) {
  const { hour, minute } = local(at, zone);
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}
