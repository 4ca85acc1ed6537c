import clsx from "clsx";

type Level = "high" | "medium" | "low";

const bars: Record<Level, number> = { high: 3, medium: 2, low: 1 };
const colors: Record<Level, string> = { high: "text-danger", medium: "text-warning", low: "text-muted" };

/** One, two or three bars: told by shape as well as by colour. */
export function PriorityIcon({ level, label }: { level: Level; label?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      className={clsx("size-4 shrink-0", colors[level])}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={!label}
    >
      {[0, 1, 2].map((bar) => (
        <rect
          key={bar}
          x={2 + bar * 4.5}
          y={10 - bar * 3.5}
          width={3}
          height={4 + bar * 3.5}
          rx={1}
          fill="currentColor"
          opacity={bar < bars[level] ? 1 : 0.25}
        />
      ))}
    </svg>
  );
}
