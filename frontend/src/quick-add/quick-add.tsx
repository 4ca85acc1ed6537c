"use client";

import { Bell, CalendarDays, Flag, Hash, Info, Plus, Repeat, Text, type LucideIcon } from "lucide-react";
import { useEffect, useState, type RefObject } from "react";

import type { ParseTaskResponse } from "@/gen/todo/v1/task_service_pb";
import type { Given } from "@/queue/change";
import { useAway } from "@/queue/use-away";
import { useShell } from "@/shell/shell";
import { add, addLine } from "@/tasks/actions";
import type { Query } from "@/tasks/query";
import { fold, stamp } from "@/tasks/task";
import { useClock, type Clock } from "@/time/clock";
import { Button } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { LINE, useKeptText } from "@/ui/kept-text";
import { toast } from "@/ui/toast";

import { draftOf, marked, parts, quote, units, type Part } from "./reading";
import { useReading } from "./use-reading";

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
const typed = "text-base leading-6 whitespace-pre";

/** What the view gives to a task that does not say otherwise, in words. */
function given(read: ParseTaskResponse, query: Query): string[] {
  const own = read.tags.map(fold);
  const tags = query.tag.filter((tag) => !own.includes(fold(tag))).map((tag) => `#${tag}`);
  return query.view === "today" && !read.dueDate ? ["Today", ...tags] : tags;
}

function givenBy(query: Query, clock: Clock): Given {
  return { tags: query.tag, dueDate: query.view === "today" ? stamp(clock.today) : undefined };
}

/** One line in plain language, with what is understood of it as it is typed. */
export function QuickAdd({ query, input }: { query: Query; input: RefObject<HTMLInputElement | null> }) {
  const { user } = useShell();
  const [text, setText] = useKeptText(`${user.id}.${LINE}`);
  const [scroll, setScroll] = useState(0);
  const reading = useReading(text);
  const clock = useClock();
  const away = useAway();
  const fresh = reading?.text === text ? reading.read : undefined;

  // Where the installed page's shortcut leads.
  useEffect(() => {
    if (window.location.hash === "#add") input.current?.focus();
  }, [input]);

  const submit = () => {
    if (!text.trim()) return;
    if (fresh && !fresh.title) return toast("Give it a title.", { kind: "error" });
    const given = givenBy(query, clock);
    if (fresh) add(draftOf(fresh, given), text);
    else addLine(text, given);
    setText("");
  };
  const select = (part: Part) => {
    const [first, last] = [part.spans[0], part.spans.at(-1)];
    if (!first || !last || !input.current) return;
    input.current.focus();
    input.current.setSelectionRange(...units(text, { start: first.start, end: last.end }));
  };

  return (
    <form
      className="rounded-xl border border-edge/40 bg-surface shadow-sm transition focus-within:border-accent-ink"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="relative h-12">
        <Plus className="pointer-events-none absolute top-3.5 left-3.5 size-5 text-accent-ink" aria-hidden />
        <div
          aria-hidden
          className={`${typed} pointer-events-none absolute inset-y-0 right-3 left-11 overflow-hidden py-3 text-transparent`}
        >
          <div style={{ transform: `translateX(${-scroll}px)` }}>
            {fresh &&
              marked(text, fresh.spans).map((piece, index) =>
                index % 2 ? (
                  <mark key={index} className="bg-accent-soft text-transparent">
                    {piece}
                  </mark>
                ) : (
                  piece
                ),
              )}
          </div>
        </div>
        <input
          ref={input}
          value={text}
          maxLength={4000}
          aria-label="Add a task"
          placeholder="Add a task: pay rent every 1st at 9am #home !high"
          onChange={(event) => setText(event.target.value)}
          onScroll={(event) => setScroll(event.currentTarget.scrollLeft)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            if (text) setText("");
            else event.currentTarget.blur();
          }}
          className={`${typed} relative h-full w-full rounded-xl bg-transparent pr-3 pl-11 text-ellipsis outline-none`}
        />
      </div>
      {away && !fresh && text.trim() && (
        <div className="flex animate-fade items-center gap-3 border-t border-line px-3 py-2">
          <p className="text-xs text-muted">
            You are offline. This line is kept, and read when you are online, as of now.
          </p>
          <Button type="submit" look="primary" size="sm" className="ml-auto">
            Add
          </Button>
        </div>
      )}
      {reading && !(away && !fresh) && (
        <div className="flex animate-fade flex-wrap items-center gap-1.5 border-t border-line px-3 py-2">
          <Understood
            reading={reading}
            clock={clock}
            given={given(reading.read, query)}
            onRemove={(part) => setText(quote(text, part.spans))}
            onSelect={select}
          />
          <Button type="submit" look="primary" size="sm" className="ml-auto">
            Add
          </Button>
        </div>
      )}
    </form>
  );
}

type UnderstoodProps = {
  reading: { text: string; read: ParseTaskResponse };
  clock: Clock;
  /** What the view adds. */
  given: string[];
  onRemove: (part: Part) => void;
  onSelect: (part: Part) => void;
};

function Understood({ reading: { read }, clock, given, onRemove, onSelect }: UnderstoodProps) {
  const found = parts(read, clock);
  return (
    <>
      <ul aria-label="Understood" className="contents">
        {found.map((part) => {
          const Icon = icons[part.kind];
          return (
            <li key={part.kind + part.label} className="min-w-0">
              <Chip
                tone={tones[part.kind]}
                removeLabel={`Take ${part.label} as words`}
                onRemove={part.spans.length > 0 ? () => onRemove(part) : undefined}
              >
                <button type="button" onClick={() => onSelect(part)} className="flex h-6 min-w-0 items-center gap-1">
                  <Icon aria-hidden />
                  <span className="truncate">{part.label}</span>
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
    </>
  );
}
