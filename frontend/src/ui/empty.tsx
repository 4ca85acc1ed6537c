import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** What a list says when there is nothing in it, and how that changes. */
export function EmptyState({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-sm animate-fade flex-col items-center px-6 py-16 text-center">
      <div className="mb-4 flex size-14 items-center justify-center rounded-2xl bg-accent-soft text-accent-ink">
        <Icon className="size-7" strokeWidth={1.75} />
      </div>
      <h2 className="text-base font-semibold">{title}</h2>
      <div className="mt-1.5 space-y-3 text-sm text-muted">{children}</div>
    </div>
  );
}
