"use client";

import { DayPicker } from "react-day-picker";

/** `weekStart`: 1 for Monday to 7 for Sunday. */
type Props = { value: number | undefined; zone: string; weekStart: number; onChange: (day: Date) => void };

const day = "size-9 rounded-lg text-sm transition hover:bg-hover pointer-coarse:size-11";

/** A month to choose a day from, as the zone has it. */
export default function Calendar({ value, zone, weekStart, onChange }: Props) {
  const selected = value === undefined ? undefined : new Date(value);
  return (
    <DayPicker
      mode="single"
      required
      autoFocus
      timeZone={zone}
      weekStartsOn={(weekStart % 7) as 0 | 1 | 2 | 3 | 4 | 5 | 6}
      selected={selected}
      defaultMonth={selected}
      onSelect={onChange}
      classNames={{
        root: "p-3 relative",
        month_caption: "flex h-9 items-center px-2 text-sm font-semibold",
        nav: "absolute right-3 top-3 flex gap-0.5",
        button_previous: "flex size-9 items-center justify-center rounded-lg hover:bg-hover",
        button_next: "flex size-9 items-center justify-center rounded-lg hover:bg-hover",
        chevron: "size-4 fill-muted",
        month_grid: "mt-1 border-collapse",
        weekday: "text-muted h-8 text-xs font-normal",
        day: "p-0 text-center",
        day_button: day,
        outside: "text-muted",
        today: "text-accent-ink font-semibold",
        selected: "[&>button]:bg-accent [&>button]:text-white [&>button]:font-semibold [&>button:hover]:bg-accent",
      }}
    />
  );
}
