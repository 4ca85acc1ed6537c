"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState, type RefObject } from "react";

import { sentence } from "@/api/clients";
import type { ParseTaskResponse } from "@/gen/todo/v1/task_service_pb";
import { add, type Draft } from "@/tasks/actions";
import type { Query } from "@/tasks/query";
import { fold, stamp } from "@/tasks/task";
import { useClock, type Clock } from "@/time/clock";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

import { corrected, without, type Corrections } from "./correct";
import { marked, quote, units, type Part } from "./reading";
import { useReading } from "./use-reading";

const Understood = dynamic(() => import("./understood").then(({ Understood }) => Understood), { ssr: false });

const typed = "text-base leading-6 whitespace-pre";

/** What the view gives to a task that does not say otherwise, in words. */
function given(read: ParseTaskResponse, query: Query): string[] {
  const own = read.tags.map(fold);
  const tags = query.tag.filter((tag) => !own.includes(fold(tag))).map((tag) => `#${tag}`);
  return query.view === "today" && !read.dueDate ? ["Today", ...tags] : tags;
}

function draftOf(read: ParseTaskResponse, query: Query, clock: Clock): Draft {
  const { title, description, priority, dueDate, dueAllDay, reminders, recurrence } = read;
  const own = read.tags.map(fold);
  const tags = [...read.tags, ...query.tag.filter((tag) => !own.includes(fold(tag)))];
  const today = query.view === "today" && !dueDate;
  const due = today ? { dueDate: stamp(clock.today), dueAllDay: true } : { dueDate, dueAllDay };
  return { title, description, priority, tags, reminders, recurrence, ...due };
}

/** One line in plain language, with what is understood of it as it is typed. */
export function QuickAdd({ query, input }: { query: Query; input: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState("");
  const [corrections, setCorrections] = useState<Corrections>({});
  const [scroll, setScroll] = useState(0);
  const { reading, settle } = useReading(text);
  const clock = useClock();
  const write = (line: string) => {
    setText(line);
    if (!line.trim()) setCorrections({});
  };
  const fresh = reading?.text === text ? reading.read : undefined;

  const submit = async () => {
    const line = text;
    if (!line.trim()) return;
    write("");
    try {
      const read = corrected(await settle(line), corrections);
      if (!read.title) toast("Give it a title.", { kind: "error" });
      else if (await add(draftOf(read, query, clock))) return;
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
    // Unless something else is written meanwhile.
    if (input.current?.value) return;
    setText(line);
    setCorrections(corrections);
  };
  const remove = (part: Part) => {
    setText(quote(text, part.spans));
    setCorrections(without(corrections, part));
    input.current?.focus();
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
        void submit();
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
          onChange={(event) => write(event.target.value)}
          onScroll={(event) => setScroll(event.currentTarget.scrollLeft)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            if (text) write("");
            else event.currentTarget.blur();
          }}
          className={`${typed} relative h-full w-full rounded-xl bg-transparent pr-3 pl-11 text-ellipsis outline-none`}
        />
      </div>
      {reading && (
        <div className="flex animate-fade flex-wrap items-center gap-1.5 border-t border-line px-3 py-2">
          <Understood
            read={corrected(reading.read, corrections)}
            clock={clock}
            given={given(corrected(reading.read, corrections), query)}
            onCorrect={(more) => setCorrections({ ...corrections, ...more })}
            onRemove={remove}
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
