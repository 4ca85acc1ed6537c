"use client";

import clsx from "clsx";
import { createContext, useContext, useEffect, useMemo, useRef, type Ref } from "react";
import { createPortal } from "react-dom";
import {
  Virtualizer,
  type CustomContainerComponentProps,
  type CustomItemComponentProps,
  type VirtualizerHandle,
} from "virtua";

import { useOutbox } from "@/queue/outbox";
import { useAway } from "@/queue/use-away";
import type { Query } from "@/tasks/query";
import { useClock, type Clock } from "@/time/clock";
import { dayHeading, dayName } from "@/time/words";

import type { Row } from "./rows";
import { TaskRow, type RowEvents } from "./task-row";
import { useDrag } from "./use-drag";

type Props = {
  rows: Row[];
  query: Query;
  current: string | undefined;
  chosen: ReadonlySet<string>;
  asking: string | undefined;
  events: RowEvents;
  onDrop: (id: string, day: number) => void;
};

/** Draws only the rows in sight, so that ten thousand scroll like ten. */
export function TaskList({ rows, query, current, chosen, asking, events, onDrop }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const badge = useRef<HTMLDivElement>(null);
  const clock = useClock();
  const { unread } = useOutbox();
  const away = useAway();
  const dated = useMemo(() => rows.some(({ day }) => day !== undefined), [rows]);
  const drag = useDrag(box, badge, dated, onDrop);
  const virtual = useRef<VirtualizerHandle>(null);
  const first = useMemo(() => rows.flatMap((row) => ("task" in row ? [row.task.id] : [])).at(0), [rows]);
  const known = useRef(current);
  useEffect(() => {
    if (known.current === current) return;
    known.current = current;
    const at = rows.findIndex((row) => "task" in row && row.task.id === current);
    if (at >= 0) virtual.current?.scrollToIndex(at, { align: "nearest" });
  }, [rows, current]);

  const titleOf = (id: string) =>
    chosen.has(id) && chosen.size > 1
      ? `${chosen.size} tasks`
      : rows.flatMap((row) => ("task" in row && row.task.id === id ? [row.task.title] : []))[0];

  return (
    <div ref={box} className="-mx-2.5 min-h-0 flex-1 overflow-y-auto px-2.5 pb-24 data-drags:select-none" data-scroll>
      <Lines value={{ rows, day: drag?.day }}>
        <Virtualizer ref={virtual} scrollRef={box} as={List} item={Line} data={rows}>
          {(row) =>
            "task" in row ? (
              <TaskRow
                key={row.task.id}
                task={row.task}
                clock={clock}
                search={query.search}
                current={row.task.id === (current ?? first)}
                open={row.task.id === query.task}
                chosen={chosen.has(row.task.id)}
                asking={row.task.id === asking}
                dated={row.day !== undefined}
                unread={away && unread.has(row.task.id)}
                events={events}
              />
            ) : (
              <Heading key={String(row.heading)} row={row} clock={clock} />
            )
          }
        </Virtualizer>
      </Lines>
      {drag && createPortal(<Badge ref={badge} title={titleOf(drag.id)} day={drag.day} clock={clock} />, document.body)}
    </div>
  );
}

const Lines = createContext<{ rows: Row[]; day: number | undefined }>({ rows: [], day: undefined });

function List(props: CustomContainerComponentProps) {
  return <ul aria-label="Tasks" {...props} />;
}

/** One line of the list; all those of the day over which something is dragged are marked. */
function Line({ index, ...props }: CustomItemComponentProps) {
  const { rows, day } = useContext(Lines);
  const own = rows[index]?.day;
  return (
    <li
      {...props}
      data-day={own}
      aria-posinset={index + 1}
      aria-setsize={rows.length}
      className={day !== undefined && day === own ? "bg-accent-soft/60" : undefined}
    />
  );
}

type BadgeProps = { ref: Ref<HTMLDivElement>; title: string | undefined; day: number | undefined; clock: Clock };

/** What is dragged, at the pointer, and where it would go. */
function Badge({ ref, title, day, clock }: BadgeProps) {
  return (
    <div
      ref={ref}
      aria-hidden
      data-badge
      style={{ translate: "-100vw" }}
      className="pointer-events-none fixed top-3 left-3 z-50 flex max-w-72 items-center gap-2 rounded-lg border border-line bg-raised px-3 py-2 text-sm shadow-pop"
    >
      <span className="truncate font-medium">{title}</span>
      {day !== undefined && <span className="shrink-0 text-accent-ink">{dayName(day, clock)}</span>}
    </div>
  );
}

function Heading({ row, clock }: { row: Extract<Row, { count: number }>; clock: Clock }) {
  return (
    <h2
      className={clsx(
        "flex items-baseline gap-2 px-2.5 pt-4 pb-1.5 text-[0.8125rem] font-semibold",
        row.heading === "overdue" && "text-danger",
        row.count === 0 && "text-muted",
      )}
    >
      {row.heading === "overdue" ? "Overdue" : dayHeading(row.heading, clock)}
      <span className="font-normal text-muted tabular-nums">{row.count || ""}</span>
    </h2>
  );
}
