"use client";

import { create } from "@bufbuild/protobuf";
import { Bell, BellOff, BellRing } from "lucide-react";
import { useState } from "react";

import { ReminderSchema, type Reminder, type Task } from "@/gen/todo/v1/task_pb";
import { AllowLine } from "@/notify/allow";
import type { Patch } from "@/tasks/actions";
import { isPending, millis, stamp } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { beforeDue, moment } from "@/time/words";
import { instant } from "@/time/zone";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { inputClass } from "@/ui/field";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";

import { Labelled } from "./labelled";

const MOST = 5;
const offsets = [0, 600, 1_800, 3_600, 86_400, 604_800];

type Props = { task: Task; onSave: (patch: Patch, said?: string) => void };

/** Up to five: before the due date, or at a moment. */
export function RemindersField({ task, onSave }: Props) {
  const [picking, setPicking] = useState(false);
  const { zone } = useClock();
  const { reminders } = task;
  const add = (reminder: Reminder) => onSave({ reminders: [...reminders, reminder] }, "Reminder added");
  const taken = reminders.map(({ beforeDueSeconds }) => beforeDueSeconds);
  return (
    <Labelled
      label="Reminders"
      aside={
        <span className="text-xs text-muted tabular-nums">
          {reminders.length} / {MOST}
        </span>
      }
    >
      {reminders.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {reminders.map((reminder, index) => (
            <li key={reminder.id || index} className="min-w-0">
              <ReminderChip
                reminder={reminder}
                zone={zone}
                onRemove={() => onSave({ reminders: reminders.filter((one) => one !== reminder) }, "Reminder removed")}
              />
            </li>
          ))}
        </ul>
      )}
      {picking && (
        <MomentPicker
          zone={zone}
          onPick={(at) => add(create(ReminderSchema, { triggerAt: stamp(at) }))}
          onClose={() => setPicking(false)}
        />
      )}
      {reminders.length < MOST && !picking && (
        <Menu
          align="start"
          trigger={
            <Button size="sm" look="ghost" className="bg-sunken">
              <Bell className="size-4" /> Add a reminder
            </Button>
          }
        >
          {task.dueDate && <MenuLabel>{task.dueAllDay ? "Before 09:00 of the day" : "Before it is due"}</MenuLabel>}
          {task.dueDate &&
            offsets
              .filter((offset) => !taken.includes(BigInt(offset)))
              .map((offset) => (
                <MenuItem
                  key={offset}
                  onSelect={() => add(create(ReminderSchema, { beforeDueSeconds: BigInt(offset) }))}
                >
                  {beforeDue(offset)}
                </MenuItem>
              ))}
          {task.dueDate && <MenuLine />}
          <MenuItem onSelect={() => setPicking(true)}>At a moment …</MenuItem>
        </Menu>
      )}
      {reminders.some(isPending) && <AllowLine />}
    </Labelled>
  );
}

function ReminderChip({ reminder, zone, onRemove }: { reminder: Reminder; zone: string; onRemove: () => void }) {
  const { fired, cancelled, beforeDueSeconds } = reminder;
  const at = millis(reminder.triggerAt);
  const label =
    beforeDueSeconds !== undefined ? beforeDue(Number(beforeDueSeconds)) : at === undefined ? "" : moment(at, zone);
  const Icon = fired ? BellRing : cancelled ? BellOff : Bell;
  const state = fired ? "rang" : cancelled ? "will not ring" : undefined;
  return (
    <Chip tone={state ? "plain" : "warning"} removeLabel={`Remove the reminder ${label}`} onRemove={onRemove}>
      <Icon aria-hidden />
      <span className="truncate" title={at === undefined ? undefined : moment(at, zone)}>
        {label}
        {state && ` · ${state}`}
      </span>
    </Chip>
  );
}

function MomentPicker({ zone, onPick, onClose }: { zone: string; onPick: (at: number) => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const { now } = useClock();
  const parts = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(text)?.slice(1).map(Number);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts ?? [];
  const at = parts && instant({ year, month, day, hour, minute }, zone);
  const past = at !== undefined && at <= now;
  return (
    <div className="space-y-1.5">
      <div className="flex gap-2">
        <input
          type="datetime-local"
          autoFocus
          aria-label="When to remind"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className={`${inputClass} h-9 text-sm pointer-coarse:h-11`}
        />
        <Button
          disabled={at === undefined || past}
          onClick={() => {
            if (at === undefined) return;
            onPick(at);
            onClose();
          }}
        >
          Add
        </Button>
        <Button look="ghost" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {past && (
        <p role="alert" className="text-xs text-danger">
          That moment is past.
        </p>
      )}
    </div>
  );
}
