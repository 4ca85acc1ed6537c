import type { ReactNode } from "react";

/** A part of the account page, under a heading. */
export function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section
      aria-label={title}
      className="rounded-2xl border border-line bg-surface p-4 sm:p-6 lg:grid lg:grid-cols-[13rem_minmax(0,1fr)] lg:gap-8"
    >
      <div>
        <h2 className="text-base font-semibold">{title}</h2>
        {note && <p className="mt-1 text-sm break-words text-muted">{note}</p>}
      </div>
      <div className="mt-4 space-y-4 lg:mt-0">{children}</div>
    </section>
  );
}

/** What is wrong with a form as a whole, not with one field. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger">
      {children}
    </p>
  );
}
