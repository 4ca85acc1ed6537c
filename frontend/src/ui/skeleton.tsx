/** Rows that stand for a list still on its way. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="animate-pulse space-y-px">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex items-center gap-3 px-3 py-3.5">
          <div className="size-5 rounded-full bg-line" />
          <div className="flex-1 space-y-2">
            <div className="h-3 rounded bg-line" style={{ width: `${68 - ((index * 17) % 40)}%` }} />
            <div className="h-2.5 rounded bg-line/60" style={{ width: `${40 - ((index * 11) % 24)}%` }} />
          </div>
        </div>
      ))}
    </div>
  );
}
