/** How long a token may live; nothing for ever. */
export const lives = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "", label: "Until it is revoked" },
] as const;

const DAY = 86_400_000;

/** When a token that lives so many days from now ends. */
export function expiry(days: string, now: number): string | null {
  return days ? new Date(now + Number(days) * DAY).toISOString() : null;
}
