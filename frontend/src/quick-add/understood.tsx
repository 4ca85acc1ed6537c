"use client";

import { Bell, CalendarDays, Flag, Hash, Info, Repeat, Text, type LucideIcon } from "lucide-react";
import dynamic from "next/dynamic";
import { useRef, useState } from "react";

import type { ParseTaskResponse } from "@/gen/todo/v1/task_service_pb";
import type { Clock } from "@/time/clock";
import { Chip } from "@/ui/chip";

import { taskOf, type Corrections } from "./correct";
import { parts, type Part } from "./reading";

const PartEditor = dynamic(() => import("./part-editor").then(({ PartEditor }) => PartEditor), { ssr: false });

const icons: Record<Part["kind"], LucideIcon> = {
  due: CalendarDays,
  recurrence: Repeat,
  reminder: Bell,
  priority: Flag,
  tag: Hash,
  description: Text,
};
const tones = {
  due: "accent",
  recurrence: "accent",
  reminder: "warning",
  priority: "danger",
  tag: "plain",
  description: "plain",
} as const;

type Props = {
  /** What was understood, as corrected. */
  read: ParseTaskResponse;
  clock: Clock;
  /** What the view adds. */
  given: string[];
  onCorrect: (corrections: Corrections) => void;
  onRemove: (part: Part) => void;
  /** Shows in the line where a part that has no editor stands. */
  onSelect: (part: Part) => void;
};

/** Each part that was understood as a chip, which opens its editor. */
export function Understood({ read, clock, given, onCorrect, onRemove, onSelect }: Props) {
  const [editing, setEditing] = useState<Exclude<Part["kind"], "description">>();
  const anchor = useRef<HTMLElement>(null);
  const found = parts(read, clock);
  return (
    <>
      <ul aria-label="Understood" className="contents">
        {found.map((part, index) => {
          const { kind, label } = part;
          const Icon = icons[kind];
          return (
            <li key={kind === "tag" ? kind + index : kind} className="min-w-0">
              <Chip tone={tones[kind]} removeLabel={`Take ${label} as words`} onRemove={() => onRemove(part)}>
                <button
                  type="button"
                  aria-haspopup={kind === "description" ? undefined : "dialog"}
                  onPointerEnter={() => void import("./part-editor").catch(() => undefined)}
                  onKeyDown={(event) => {
                    if (event.key === "Backspace" || event.key === "Delete") onRemove(part);
                  }}
                  onClick={({ currentTarget }) => {
                    anchor.current = currentTarget;
                    if (kind === "description") onSelect(part);
                    else setEditing(kind);
                  }}
                  className="flex h-6 min-w-0 items-center gap-1 pointer-coarse:h-11"
                >
                  <Icon aria-hidden />
                  <span className="truncate">{label}</span>
                </button>
              </Chip>
            </li>
          );
        })}
      </ul>
      {given.map((label) => (
        <Chip key={label}>{label} · by this view</Chip>
      ))}
      {read.refused.map(({ text, reason }) => (
        <p key={text} className="flex items-center gap-1 text-xs text-warning">
          <Info className="size-3.5 shrink-0" aria-hidden /> “{text}” {reason}
        </p>
      ))}
      {found.length === 0 && read.refused.length === 0 && (
        <p className="text-xs text-muted">Say when, how often, #tags, !high, or “remind me 1 hour before”.</p>
      )}
      {editing && (
        <PartEditor
          kind={editing}
          task={taskOf(read)}
          anchor={anchor}
          onChange={onCorrect}
          onClose={() => {
            setEditing(undefined);
            anchor.current?.focus();
          }}
        />
      )}
    </>
  );
}
