"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
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
import { LINE, useKeptText } from "@/ui/kept-text";
import { toast } from "@/ui/toast";

import { corrected, without, type Corrections } from "./correct";
import { draftOf, marked, quote, units, type Part } from "./reading";
import { useReading } from "./use-reading";

const Understood = dynamic(() => import("./understood").then(({ Understood }) => Understood), { ssr: false });

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
  const [corrections, setCorrections] = useState<Corrections>({});
  const [scroll, setScroll] = useState(0);
  const reading = useReading(text);
  const clock = useClock();
  const away = useAway();
  const fresh = reading?.text === text ? reading.read : undefined;
  const write = (line: string) => {
    setText(line);
    if (!line.trim()) setCorrections({});
  };

  // Where the installed page's shortcut leads.
  useEffect(() => {
    if (window.location.hash === "#add") input.current?.focus();
  }, [input]);

  const submit = () => {
    if (!text.trim()) return;
    if (fresh && !fresh.title) return toast("Give it a title.", { kind: "error" });
    const given = givenBy(query, clock);
    if (fresh) add(draftOf(corrected(fresh, corrections), given), text);
    else addLine(text, given, corrections);
    write("");
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
