import { Panel } from "./panel";

type Props = {
  title: string;
  counts: Record<string, bigint>;
  name: (key: string) => string;
  /** What is said of none. */
  none: string;
  bar: string;
};

/** How often each of several things was, the most often first: bars that are their own table. */
export function Shares({ title, counts, name, none, bar }: Props) {
  const rows = Object.entries(counts).map(([key, count]) => ({ key, count: Number(count) }));
  rows.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  const most = rows[0]?.count ?? 1;
  return (
    <Panel title={title}>
      {rows.length === 0 ? (
        <p className="text-sm text-muted">{none}</p>
      ) : (
        <ul aria-label={title} className="space-y-2.5">
          {rows.map(({ key, count }) => (
            <li key={key} className="text-[0.8125rem]">
              <div className="flex justify-between gap-3">
                <span className="truncate">{name(key)}</span>
                <span className="text-muted tabular-nums">{count.toLocaleString()}</span>
              </div>
              <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken">
                <div className={`h-full rounded-full ${bar}`} style={{ width: `${(count / most) * 100}%` }} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
