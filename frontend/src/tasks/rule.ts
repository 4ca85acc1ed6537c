import { create } from "@bufbuild/protobuf";

import { Anchor, RecurrenceSchema, RecurrenceType, type Recurrence } from "@/gen/todo/v1/task_pb";

/** A recurrence as the builder shows it. What it cannot show stays text. */
export type Rule =
  | { kind: "every"; unit: Unit; interval: number; days: Day[]; monthDay?: number; weekStart?: Day }
  | { kind: "cron"; text: string }
  | { kind: "rrule"; text: string };

export const units = ["day", "week", "month", "year"] as const;
export const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Unit = (typeof units)[number];
export type Day = (typeof weekdays)[number];

const frequencies: Record<Unit, string> = { day: "DAILY", week: "WEEKLY", month: "MONTHLY", year: "YEARLY" };
const names: Record<Day, string> = { MO: "Mon", TU: "Tue", WE: "Wed", TH: "Thu", FR: "Fri", SA: "Sat", SU: "Sun" };
const WORKDAYS = "MO,TU,WE,TH,FR";

/** Reads what a task carries. */
export function ruleOf(recurrence: Recurrence): Rule {
  const every = { kind: "every", interval: 1, days: [] } as const;
  switch (recurrence.recurrenceType) {
    case RecurrenceType.DAILY:
      return { ...every, days: [], unit: "day" };
    case RecurrenceType.WEEKLY:
      return { ...every, days: [], unit: "week" };
    case RecurrenceType.CUSTOM:
      return { kind: "cron", text: recurrence.cronExpression ?? "" };
    default:
      return parse(recurrence.rrule ?? "");
  }
}

function parse(text: string): Rule {
  const parts = new Map(text.split(";").map((part) => part.split("=") as [string, string]));
  const unit = units.find((one) => frequencies[one] === parts.get("FREQ"));
  const interval = Number(parts.get("INTERVAL") ?? 1);
  const days = parts.get("BYDAY")?.split(",") ?? [];
  const known = days.filter((day): day is Day => weekdays.some((one) => one === day));
  const monthDay = parts.has("BYMONTHDAY") ? Number(parts.get("BYMONTHDAY")) : undefined;
  const simple = [...parts.keys()].every((key) => ["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "WKST"].includes(key));
  const counted = parts.get("WKST") ?? (interval > 1 && days.length > 0 ? "MO" : undefined);
  const weekStart = weekdays.find((day) => day === counted);
  const fits = known.length === days.length && (days.length === 0 || unit === "week");
  const fitsMonth = monthDay === undefined || (unit === "month" && Number.isInteger(monthDay));
  if (!unit || !simple || !fits || !fitsMonth) return { kind: "rrule", text };
  return { kind: "every", unit, interval, days: known, monthDay, weekStart };
}

function text(rule: Extract<Rule, { kind: "every" }>, weekStart: Day): string {
  const parts = [`FREQ=${frequencies[rule.unit]}`];
  if (rule.interval > 1) parts.push(`INTERVAL=${rule.interval}`);
  if (rule.unit === "week" && rule.days.length > 0)
    parts.push(`BYDAY=${weekdays.filter((day) => rule.days.includes(day))}`);
  const starts = rule.weekStart ?? weekStart;
  if (rule.unit === "week" && rule.interval > 1 && rule.days.length > 0 && starts !== "MO")
    parts.push(`WKST=${starts}`);
  if (rule.unit === "month" && rule.monthDay) parts.push(`BYMONTHDAY=${rule.monthDay}`);
  return parts.join(";");
}

/** Writes a rule over a recurrence, whose end and other settings stay. A new one counts weeks from `weekStart`. */
export function withRule(base: Recurrence | undefined, rule: Rule, weekStart: Day = "MO"): Recurrence {
  const kept = { ...(base ?? create(RecurrenceSchema)), cronExpression: undefined, rrule: undefined };
  if (rule.kind === "cron") return { ...kept, recurrenceType: RecurrenceType.CUSTOM, cronExpression: rule.text };
  if (rule.kind === "rrule") return { ...kept, recurrenceType: RecurrenceType.RRULE, rrule: rule.text };
  const plain = rule.interval === 1 && rule.days.length === 0 && rule.monthDay === undefined;
  if (plain && rule.unit === "day") return { ...kept, recurrenceType: RecurrenceType.DAILY };
  if (plain && rule.unit === "week") return { ...kept, recurrenceType: RecurrenceType.WEEKLY };
  return { ...kept, recurrenceType: RecurrenceType.RRULE, rrule: text(rule, weekStart) };
}

/** A recurrence in few words. */
export function describe(recurrence: Recurrence): string {
  const rule = ruleOf(recurrence);
  const after = recurrence.anchor === Anchor.COMPLETION ? " after done" : "";
  return phrase(rule) + after;
}

function phrase(rule: Rule): string {
  if (rule.kind !== "every") return rule.text || "Custom";
  const { unit, interval, days, monthDay } = rule;
  if (unit === "week" && interval === 1 && weekdays.filter((day) => days.includes(day)).join() === WORKDAYS)
    return "Weekdays";
  const often =
    interval === 1
      ? { day: "Daily", week: "Weekly", month: "Monthly", year: "Yearly" }[unit]
      : `Every ${interval} ${unit}s`;
  const on = monthDay ? (monthDay === -1 ? " on the last day" : ` on the ${ordinal(monthDay)}`) : "";
  return often + on + (days.length > 0 ? ` on ${days.map((day) => names[day]).join(", ")}` : "");
}

function ordinal(number: number): string {
  const rule = new Intl.PluralRules("en", { type: "ordinal" }).select(number);
  return `${number}${{ one: "st", two: "nd", few: "rd", other: "th", zero: "th", many: "th" }[rule]}`;
}

export const dayNames = names;

/** The days of a week that begins on one (1 for Monday). */
export function weekFrom(start: number): Day[] {
  return weekdays.map((_, index) => weekdays[(start - 1 + index) % 7] ?? "MO");
}
