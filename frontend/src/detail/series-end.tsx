"use client";

import clsx from "clsx";

import type { Recurrence } from "@/gen/todo/v1/task_pb";
import { millis, stamp } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { dayStart, instant, local } from "@/time/zone";

type Props = { value: Recurrence; onChange: (value: Recurrence) => void; className: string };

/** When a series ends: never, with a day (which is in it), or after a number of dates. */
export function SeriesEnd({ value, onChange, className }: Props) {
  const clock = useClock();
  const zone = value.timeZone ?? clock.zone;
  const until = millis(value.until);
  const kind = until !== undefined ? "until" : value.count !== undefined ? "count" : "never";
  const endOf = (day: number) => stamp(dayStart(day, zone, 1) - 1);
  const setKind = (next: string) =>
    onChange({
      ...value,
      until: next === "until" ? endOf(dayStart(clock.now, zone, 30)) : undefined,
      count: next === "count" ? 10 : undefined,
    });
  const setDay = (text: string) => {
    const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
    if (text) onChange({ ...value, until: endOf(instant({ year, month, day, hour: 12, minute: 0 }, zone)) });
  };
  return (
    <div className="flex items-center gap-2">
      <label className="flex flex-1 items-center gap-2">
        <span>Ends</span>
        <select value={kind} onChange={(event) => setKind(event.target.value)} className={className}>
          <option value="never">never</option>
          <option value="until">with a day</option>
          <option value="count">after a number</option>
        </select>
      </label>
      {until !== undefined && (
        <input
          type="date"
          aria-label="Last day"
          value={dayText(until, zone)}
          onChange={(event) => setDay(event.target.value)}
          className={clsx(className, "flex-1")}
        />
      )}
      {value.count !== undefined && (
        <input
          type="number"
          min={1}
          max={10_000}
          aria-label="Number of dates"
          value={value.count}
          onChange={(event) =>
            onChange({ ...value, count: Math.min(Math.max(Math.trunc(Number(event.target.value)) || 1, 1), 10_000) })
          }
          className={clsx(className, "flex-1")}
        />
      )}
    </div>
  );
}

function dayText(at: number, zone: string) {
  const { year, month, day } = local(at, zone);
  return [String(year), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}
