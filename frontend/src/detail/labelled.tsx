import type { ReactNode } from "react";

/** One field of a task under its name. */
export function Labelled({ label, aside, children }: { label: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <div role="group" aria-label={label} className="space-y-1.5">
      <div className="flex items-center justify-between">
        <h2 className="text-[0.8125rem] font-medium text-muted">{label}</h2>
        {aside}
      </div>
      {children}
    </div>
  );
}

export function ClearButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      onClick={onClick}
      className="min-h-6 rounded-md px-2 text-xs text-muted hover:bg-hover hover:text-ink pointer-coarse:min-h-11"
    >
      Clear
    </button>
  );
}
