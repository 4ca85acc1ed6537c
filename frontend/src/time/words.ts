import { dayStart } from "./zone";
import type { Clock } from "./clock";

const formats = new Map<string, Intl.DateTimeFormat>();

function say(at: number, zone: string, options: Intl.DateTimeFormatOptions) {
  const key = zone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
    formats.set(key, format);
  }
  return format.format(at);
}

export function timeOfDay(at: number, zone: string) {
  return say(at, zone, { hour: "numeric", minute: "2-digit" });
}

/** A day as people name it from where they stand: "Today", "Tue", "12 Dec". */
export function dayName(at: number, { now, today, tomorrow, zone }: Clock) {
  if (at >= today && at < tomorrow) return "Today";
  if (at >= tomorrow && at < dayStart(now, zone, 2)) return "Tomorrow";
  if (at < today && at >= dayStart(now, zone, -1)) return "Yesterday";
  if (at >= today && at < dayStart(now, zone, 7)) return say(at, zone, { weekday: "short" });
  return say(at, zone, { day: "numeric", month: "short", year: otherYear(at, now, zone) });
}

/** A year is said only if it is not this one. */
function otherYear(at: number, now: number, zone: string) {
  const same = say(at, zone, { year: "numeric" }) === say(now, zone, { year: "numeric" });
  return same ? undefined : "numeric";
}

/** A day's date, short: "12 Dec". */
export function dayMonth(at: number, { zone }: Clock) {
  return say(at, zone, { day: "numeric", month: "short" });
}

/** When something is due, short. */
export function dueText(at: number, allDay: boolean, clock: Clock) {
  const day = dayName(at, clock);
  return allDay ? day : `${day} ${timeOfDay(at, clock.zone)}`;
}

/** The heading of a day in a list of days. */
export function dayHeading(at: number, clock: Clock) {
  const year = otherYear(at, clock.now, clock.zone);
  const date = say(at, clock.zone, { weekday: "long", day: "numeric", month: "long", year });
  const name = dayName(at, clock);
  return name === "Today" || name === "Tomorrow" ? `${name} · ${date}` : date;
}

/** A moment in full. */
export function moment(at: number, zone: string) {
  return say(at, zone, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
}

export function shortDay(at: number, zone: string) {
  return say(at, zone, { weekday: "short", day: "numeric", month: "short" });
}

export function fullDay(at: number, zone: string) {
  return say(at, zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
}

const units: [string, number][] = [
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A length of time: "1 hour", "90 minutes". */
export function span(seconds: number) {
  const [unit, size] = units.find(([, size]) => seconds >= size && seconds % size === 0) ?? ["second", 1];
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

export function beforeDue(seconds: number) {
  return seconds === 0 ? "When it is due" : `${span(seconds)} before`;
}

/** How long ago, or in how long. */
export function fromNow(at: number, now: number) {
  const seconds = Math.round((at - now) / 1000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(0, "minute");
  if (size < 3_600) return format.format(Math.trunc(seconds / 60), "minute");
  if (size < 86_400) return format.format(Math.trunc(seconds / 3_600), "hour");
  return format.format(Math.trunc(seconds / 86_400), "day");
}
