import type { ReactNode } from "react";

/** A part of the dashboard under its name. */
export function Panel({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-xl border border-line bg-surface p-4">
      <h3 className="text-sm font-semibold">{title}</h3>
      {note && <p className="mt-0.5 text-[0.8125rem] text-muted">{note}</p>}
      <div className="mt-3">{children}</div>
    </section>
  );
}

type Figure = { name: string; value: string; alarm?: boolean };

/** Numbers side by side. */
export function Figures({ label, figures }: { label: string; figures: Figure[] }) {
  return (
    <dl aria-label={label} className="grid grid-cols-2 gap-3 sm:grid-cols-4">
      {figures.map(({ name, value, alarm }) => (
        <div key={name} className="flex flex-col-reverse rounded-xl border border-line bg-surface px-4 py-3">
          <dt className="text-[0.8125rem] text-muted">{name}</dt>
          <dd className={`text-2xl font-semibold tracking-tight tabular-nums ${alarm ? "text-danger" : ""}`}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
