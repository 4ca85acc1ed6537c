"use client";

import clsx from "clsx";
import dynamic from "next/dynamic";
import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { useClock } from "@/time/clock";
import { fullDay } from "@/time/words";

import { Panel } from "./panel";
import { sum, tones, type Series } from "./series";

const Drawing = dynamic(() => import("./drawing").then(({ Drawing }) => Drawing), { ssr: false });

type Props = {
  title: string;
  note: string;
  kind: "bars" | "area";
  /** When the days begin. */
  days: number[];
  series: Series[];
  /** The whole in a few words: "12 completed in 30 days". */
  summary: string;
  /** What is shown instead of nothing but zeros. */
  empty: ReactNode;
};

/** Numbers by day: a drawing that is walked by the arrow keys, and a table of the same. */
export function Chart({ title, note, kind, days, series, summary, empty }: Props) {
  const clock = useClock();
  const [cursor, setCursor] = useState<number>();
  const [box, width] = useWidth();
  const said = useId();
  if (series.every(({ values }) => sum(values) === 0)) {
    return (
      <Panel title={title} note={note}>
        <div className="flex min-h-28 items-center justify-center px-4 text-center text-sm text-muted">{empty}</div>
      </Panel>
    );
  }
  const at = cursor === undefined ? undefined : days[cursor];
  const onKeyDown = (event: KeyboardEvent) => {
    const now = cursor ?? days.length;
    const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: days.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setCursor(Math.max(0, Math.min(next, days.length - 1)));
  };
  return (
    <Panel title={title} note={note}>
      <p id={said} aria-live="polite" className="mb-2 flex min-h-5 flex-wrap gap-x-3 text-[0.8125rem]">
        {at === undefined || cursor === undefined ? (
          summary
        ) : (
          <>
            <span className="font-medium">{fullDay(at, clock.zone)}</span>
            {series.map(({ name, values, tone }) => (
              <span key={name} className="inline-flex items-center gap-1.5">
                <Dot tone={tone} /> {values[cursor]} {name}
              </span>
            ))}
          </>
        )}
      </p>
      <div
        ref={box}
        role="application"
        aria-roledescription="chart"
        aria-label={`${title}: ${summary}. Arrow keys go from day to day.`}
        aria-describedby={said}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(undefined)}
        className="h-44 w-full overflow-hidden rounded"
      >
        {width > 0 && (
          <Drawing
            kind={kind}
            width={width}
            days={days}
            series={series}
            clock={clock}
            cursor={cursor}
            onCursor={setCursor}
          />
        )}
      </div>
      <div className="mt-2 flex flex-wrap items-start gap-x-4 gap-y-1 text-xs text-muted">
        {series.length > 1 &&
          series.map(({ name, tone }) => (
            <span key={name} className="inline-flex h-6 items-center gap-1.5">
              <Dot tone={tone} /> {name.charAt(0).toUpperCase() + name.slice(1)}
            </span>
          ))}
        <Table title={title} days={days} series={series} zone={clock.zone} />
      </div>
    </Panel>
  );
}

function Dot({ tone }: { tone: Series["tone"] }) {
  return <span aria-hidden className={clsx("size-2 rounded-sm", tones[tone].dot)} />;
}

/** The same in numbers, the latest day first. */
function Table({ title, days, series, zone }: Pick<Props, "title" | "days" | "series"> & { zone: string }) {
  return (
    <details className="ml-auto open:w-full">
      <summary className="flex h-6 items-center justify-end rounded hover:text-ink">As a table</summary>
      <div tabIndex={0} role="region" aria-label={`${title}, table`} className="mt-1 max-h-60 overflow-y-auto">
        <table className="w-full text-left tabular-nums">
          <caption className="sr-only">{title}</caption>
          <thead className="sticky top-0 bg-surface">
            <tr>
              <th scope="col" className="py-1 font-medium">
                Day
              </th>
              {series.map(({ name }) => (
                <th key={name} scope="col" className="py-1 text-right font-medium first-letter:uppercase">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days
              .map((_, index) => days.length - 1 - index)
              .map((day) => (
                <tr key={day} className="border-t border-line">
                  <th scope="row" className="py-1 font-normal">
                    {fullDay(days[day] ?? 0, zone)}
                  </th>
                  {series.map(({ name, values }) => (
                    <td key={name} className="py-1 text-right text-ink">
                      {values[day]}
                    </td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}
