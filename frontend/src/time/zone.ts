/** Wall clocks. Instants are milliseconds since 1970 UTC; zones are IANA names. */

export type Local = { year: number; month: number; day: number; hour: number; minute: number };

const DAY = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string) {
  let found = formats.get(zone);
  if (!found) {
    const number = "numeric";
    found = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: number,
      month: number,
      day: number,
      hour: number,
      minute: number,
      second: number,
    });
    formats.set(zone, found);
  }
  return found;
}

/** What the clock on the wall says. */
export function local(at: number, zone: string): Local {
  const parts: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
  return { year, month, day, hour, minute };
}

function utc({ year, month, day, hour, minute }: Local) {
  return Date.UTC(year, month - 1, day, hour, minute);
}

function offset(at: number, zone: string) {
  return utc(local(at, zone)) - Math.floor(at / 60_000) * 60_000;
}

/** When the wall clock says so: a time in a gap moves on by the gap, of one that comes twice the first is meant. */
export function instant(wanted: Local, zone: string): number {
  const at = utc(wanted);
  const before = at - offset(at - DAY, zone);
  const after = at - offset(at + DAY, zone);
  const fits = [before, after].filter((one) => utc(local(one, zone)) === at);
  return fits.length > 0 ? Math.min(...fits) : before;
}

/** The beginning of the day that is `days` after the day of an instant. */
export function dayStart(at: number, zone: string, days = 0): number {
  const { year, month, day } = local(at, zone);
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return instant(
    { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour: 0, minute: 0 },
    zone,
  );
}

/** The same time of day, on the day of another instant. */
export function onDay(at: number, day: number, zone: string): number {
  const { hour, minute } = local(at, zone);
  return instant({ ...local(day, zone), hour, minute }, zone);
}

/** The zones that a person can choose. */
export function zones(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
}
