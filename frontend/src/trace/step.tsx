import type { ReactNode } from "react";

/** One of the steps from a message to its answer. */
export function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li className="text-sm">
      <h3 className="mb-1 text-xs font-medium text-muted">{title}</h3>
      {children}
    </li>
  );
}
