import clsx from "clsx";
import { X } from "lucide-react";
import type { ReactNode } from "react";

type Tone = "plain" | "accent" | "danger" | "warning" | "success";

const tones: Record<Tone, string> = {
  plain: "bg-sunken text-muted",
  accent: "bg-accent-soft text-accent-ink",
  danger: "bg-danger-soft text-danger",
  warning: "bg-warning-soft text-warning",
  success: "bg-success-soft text-success",
};

/** A small piece of what is known, which can be taken away if `onRemove` is given. */
export function Chip({
  tone = "plain",
  onRemove,
  removeLabel,
  children,
}: {
  tone?: Tone;
  onRemove?: () => void;
  removeLabel?: string;
  children: ReactNode;
}) {
  return (
    <span
      className={clsx(
        "inline-flex h-6 max-w-full items-center gap-1 rounded-md px-2 text-xs font-medium pointer-coarse:has-[button]:h-11 [&_svg]:size-3.5 [&_svg]:shrink-0",
        tones[tone],
      )}
    >
      <span className="flex min-w-0 items-center gap-1 truncate">{children}</span>
      {onRemove && (
        <button
          type="button"
          aria-label={removeLabel}
          onClick={onRemove}
          className="-mr-1.5 flex size-6 items-center justify-center rounded-md hover:brightness-90 pointer-coarse:size-11"
        >
          <X />
        </button>
      )}
    </span>
  );
}
