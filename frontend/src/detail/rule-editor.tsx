"use client";

import clsx from "clsx";

import { Anchor, type Recurrence } from "@/gen/todo/v1/task_pb";
import { useLive } from "@/live/store";
import { dayNames, ruleOf, units, weekFrom, withRule, type Day, type Rule } from "@/tasks/rule";
import { inputClass } from "@/ui/field";

import { SeriesEnd } from "./series-end";

type Props = { value: Recurrence; onChange: (value: Recurrence) => void };
type Every = Extract<Rule, { kind: "every" }>;

const small = `${inputClass} h-8 text-sm pointer-coarse:h-11`;

/** A rule in parts: how often, on which days, from what it counts and when it ends. */
export function RuleEditor({ value, onChange }: Props) {
  const rule = ruleOf(value);
  const week = weekFrom(useLive().weekStart);
  const set = (next: Rule) => onChange(withRule(value, next, week[0]));
  const kind = rule.kind === "every" ? rule.unit : rule.kind;
  const setKind = (next: string) => {
    if (next === "cron") return set({ kind: "cron", text: "0 9 * * 1" });
    if (next === "rrule") return set({ kind: "rrule", text: "FREQ=MONTHLY;BYDAY=-1FR" });
    const unit = units.find((one) => one === next) ?? "day";
    set({ kind: "every", unit, interval: rule.kind === "every" ? rule.interval : 1, days: [] });
  };
  return (
    <div className="space-y-3 text-sm">
      <div className="flex items-center gap-2">
        <span>Every</span>
        {rule.kind === "every" && (
          <input
            type="number"
            min={1}
            max={999}
            aria-label="Interval"
            value={rule.interval}
            onChange={(event) =>
              set({ ...rule, interval: Math.min(Math.max(Math.trunc(Number(event.target.value)) || 1, 1), 999) })
            }
            className={clsx(small, "w-18!")}
          />
        )}
        <select
          aria-label="Unit"
          value={kind}
          onChange={(event) => setKind(event.target.value)}
          className={clsx(small, "flex-1")}
        >
          {units.map((unit) => (
            <option key={unit} value={unit}>
              {rule.kind === "every" && rule.interval > 1 ? `${unit}s` : unit}
            </option>
          ))}
          <option value="cron">cron expression</option>
          <option value="rrule">RFC 5545 rule</option>
        </select>
      </div>
      {rule.kind === "every" ? (
        <Days rule={rule} week={week} onChange={set} />
      ) : (
        <div className="space-y-1">
          <input
            aria-label={rule.kind === "cron" ? "Cron expression" : "RRULE"}
            value={rule.text}
            spellCheck={false}
            maxLength={rule.kind === "cron" ? 100 : 500}
            onChange={(event) => set({ ...rule, text: event.target.value })}
            className={clsx(small, "font-mono")}
          />
          <p className="text-xs text-muted">
            {rule.kind === "cron"
              ? "Minute, hour, day, month, weekday: 0 9 * * 1-5 is 09:00 on weekdays."
              : "FREQ=MONTHLY;BYDAY=-1FR is the last Friday of each month."}
          </p>
        </div>
      )}
      <label className="flex min-h-6 items-center gap-2">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={value.anchor === Anchor.COMPLETION}
          onChange={(event) =>
            onChange({ ...value, anchor: event.target.checked ? Anchor.COMPLETION : Anchor.SCHEDULE })
          }
        />
        Count from when it was done
      </label>
      <label className="flex min-h-6 items-center gap-2">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={value.paused}
          onChange={(event) => onChange({ ...value, paused: event.target.checked })}
        />
        Paused
      </label>
      <SeriesEnd value={value} onChange={onChange} className={small} />
    </div>
  );
}

function Days({ rule, week, onChange }: { rule: Every; week: Day[]; onChange: (rule: Rule) => void }) {
  if (rule.unit === "month") {
    return (
      <label className="flex items-center gap-2">
        <span>On day</span>
        <select
          value={rule.monthDay ?? ""}
          onChange={(event) =>
            onChange({ ...rule, monthDay: event.target.value ? Number(event.target.value) : undefined })
          }
          className={clsx(small, "flex-1")}
        >
          <option value="">of the due date</option>
          {Array.from({ length: 31 }, (_, index) => (
            <option key={index} value={index + 1}>
              {index + 1}
            </option>
          ))}
          <option value={-1}>the last one</option>
        </select>
      </label>
    );
  }
  if (rule.unit !== "week") return null;
  const flip = (day: Day) =>
    onChange({ ...rule, days: rule.days.includes(day) ? rule.days.filter((one) => one !== day) : [...rule.days, day] });
  return (
    <div role="group" aria-label="On these days" className="flex gap-1">
      {week.map((day) => (
        <button
          key={day}
          type="button"
          aria-pressed={rule.days.includes(day)}
          onClick={() => flip(day)}
          className="h-8 flex-1 rounded-lg bg-sunken text-xs font-medium text-muted transition aria-pressed:bg-accent aria-pressed:text-white pointer-coarse:h-11"
        >
          {dayNames[day]}
        </button>
      ))}
    </div>
  );
}
