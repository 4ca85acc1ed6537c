"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { useEffect, useRef } from "react";

import { useOutbox } from "@/queue/outbox";
import { useAway } from "@/queue/use-away";
import type { Query } from "@/tasks/query";
import { useClock, type Clock } from "@/time/clock";
import { dayHeading } from "@/time/words";

import type { Row } from "./rows";
import { TaskRow, type RowEvents } from "./task-row";

type Props = {
  rows: Row[];
  query: Query;
  current: string | undefined;
  chosen: ReadonlySet<string>;
  asking: string | undefined;
  events: RowEvents;
};

/** Draws only the rows in sight, so that ten thousand scroll like ten. */
export function TaskList({ rows, query, current, chosen, asking, events }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const clock = useClock();
  const { unread } = useOutbox();
  const away = useAway();
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions change with the scroll, and nothing here keeps them
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => (isHeading(rows[index]) ? 40 : 44),
    getItemKey: (index) => keyOf(rows[index]),
    overscan: 8,
    initialRect: { width: 800, height: 800 },
  });
  const at = rows.findIndex((row) => "task" in row && row.task.id === current);
  const known = useRef(current);
  useEffect(() => {
    if (known.current === current) return;
    known.current = current;
    if (at >= 0) virtual.scrollToIndex(at);
  }, [virtual, at, current]);

  return (
    <div ref={box} className="-mx-2.5 min-h-0 flex-1 overflow-y-auto px-2.5 pb-24" data-scroll>
      <ul aria-label="Tasks" className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              aria-posinset={item.index + 1}
              aria-setsize={rows.length}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {"task" in row ? (
                <TaskRow
                  task={row.task}
                  clock={clock}
                  search={query.search}
                  current={row.task.id === current || (current === undefined && item.index === firstTask(rows))}
                  open={row.task.id === query.task}
                  chosen={chosen.has(row.task.id)}
                  asking={row.task.id === asking}
                  dated={row.dated}
                  unread={away && unread.has(row.task.id)}
                  events={events}
                />
              ) : (
                <Heading row={row} clock={clock} />
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Heading({ row, clock }: { row: Extract<Row, { count: number }>; clock: Clock }) {
  return (
    <h2
      className={clsx(
        "flex items-baseline gap-2 px-2.5 pt-4 pb-1.5 text-[0.8125rem] font-semibold",
        row.heading === "overdue" && "text-danger",
      )}
    >
      {row.heading === "overdue" ? "Overdue" : dayHeading(row.heading, clock)}
      <span className="font-normal text-muted tabular-nums">{row.count}</span>
    </h2>
  );
}

const isHeading = (row: Row | undefined) => row !== undefined && "heading" in row;
const keyOf = (row: Row | undefined) => (row === undefined ? "" : "task" in row ? row.task.id : String(row.heading));
const firstTask = (rows: Row[]) => rows.findIndex((row) => "task" in row);
