"use client";

import { useClock } from "@/time/clock";
import { inputClass } from "@/ui/field";
import { Segments } from "@/ui/segments";

import { dateOf, lasts, type Range } from "./range";

const options = [
  ...lasts.map((last) => ({ value: String(last), label: `${last} days` })),
  { value: "dates", label: "Dates" },
];

type Props = { range: Range; edges: number[]; onChange: (range: Range) => void };

/** Which days are summed up. */
export function RangePicker({ range, edges, onChange }: Props) {
  const { zone } = useClock();
  const shown = { from: dateOf(edges[0] ?? 0, zone), to: dateOf(edges.at(-2) ?? 0, zone) };
  const pick = (value: string) =>
    onChange(lasts.map((last) => ({ last })).find(({ last }) => String(last) === value) ?? shown);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="w-full max-w-xs">
        <Segments
          label="Days"
          value={"last" in range ? String(range.last) : "dates"}
          options={options}
          onChange={pick}
        />
      </div>
      {"from" in range && (
        <div className="flex flex-wrap items-center gap-2 text-sm">
          <Day label="From" value={range.from} onChange={(from) => onChange({ ...range, from })} />
          <Day label="to" value={range.to} onChange={(to) => onChange({ ...range, to })} />
        </div>
      )}
    </div>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="flex items-center gap-2">
      <span className="text-muted">{label}</span>
      <input
        type="date"
        value={value}
        onChange={(event) => event.target.value && onChange(event.target.value)}
        className={`${inputClass} h-9 w-auto pointer-coarse:h-11`}
      />
    </label>
  );
}
