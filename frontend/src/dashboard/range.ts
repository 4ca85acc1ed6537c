import type { Clock } from "@/time/clock";
import { dayStart, instant, local } from "@/time/zone";

/** Which days are summed up, as it stands in the address: the last so many, or from one date to another ("2026-11-22"). */
export type Range = { last: Last } | { from: string; to: string };
export const lasts = [7, 30, 90] as const;
export type Last = (typeof lasts)[number];

/** How many days are shown at most. */
const MOST = 366;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

export function read(query: URLSearchParams): Range {
  const [from, to] = [query.get("from") ?? "", query.get("to") ?? ""];
  if (DATE.test(from) && DATE.test(to)) return { from, to };
  return { last: lasts.find((last) => String(last) === query.get("days")) ?? 30 };
}

/** The address that says so. */
export function write(range: Range): string {
  return "last" in range ? `/dashboard?days=${range.last}` : `/dashboard?${new URLSearchParams(range)}`;
}

/**
 * When each day of the range begins, and as the last one when it ends. Days to come are left out; dates the wrong way
 * round are turned.
 */
export function edges(range: Range, { now, zone }: Clock): number[] {
  if ("last" in range) return days(now, range.last, zone);
  const [one, other] = [start(range.from, zone), start(range.to, zone)];
  const last = Math.min(Math.max(one, other), now);
  const first = Math.min(one, other, last);
  // Days are 23 to 25 hours long.
  const count = Math.round((dayStart(last, zone) - dayStart(first, zone)) / 86_400_000) + 1;
  return days(last, Math.min(count, MOST), zone);
}

function days(last: number, count: number, zone: string): number[] {
  return Array.from({ length: count + 1 }, (_, index) => dayStart(last, zone, index + 1 - count));
}

function start(date: string, zone: string): number {
  const [, year, month, day] = DATE.exec(date) ?? [];
  return instant({ year: Number(year), month: Number(month), day: Number(day), hour: 0, minute: 0 }, zone);
}

/** The date of an instant, as a field for dates has it. */
export function dateOf(at: number, zone: string): string {
  const { year, month, day } = local(at, zone);
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
}
