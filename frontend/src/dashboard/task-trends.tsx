"use client";

import { useMemo } from "react";

import { useLive } from "@/live/store";
import { useCounts } from "@/shell/counts";
import { useClock } from "@/time/clock";
import { Kbd } from "@/ui/kbd";
import { Skeleton } from "@/ui/skeleton";

import { Chart } from "./chart";
import { Figures } from "./panel";
import { sum } from "./series";
import { completed, overdue } from "./trends";

/** How the tasks go: reckoned from those that the page holds, so it is as live as the list. */
export function TaskTrends({ edges }: { edges: number[] }) {
  const { tasks, whole } = useLive();
  const { now } = useClock();
  const counts = useCounts();
  const done = useMemo(() => completed(tasks.values(), edges), [tasks, edges]);
  const late = useMemo(() => overdue(tasks.values(), edges, now), [tasks, edges, now]);
  if (!whole) return <Skeleton rows={4} />;
  const days = edges.slice(0, -1);
  const total = sum(done);
  const [first = 0, last = 0] = [late[0], late.at(-1)];
  return (
    <div className="space-y-3">
      <Figures
        label="The tasks in numbers"
        figures={[
          { name: "completed", value: total.toLocaleString() },
          {
            name: "a day",
            value: (total / days.length).toLocaleString(undefined, {
              maximumFractionDigits: total < days.length ? 2 : 1,
            }),
          },
          { name: "open now", value: counts.all.toLocaleString() },
          { name: "overdue now", value: counts.overdue.toLocaleString(), alarm: counts.overdue > 0 },
        ]}
      />
      <div className="grid gap-3 lg:grid-cols-2">
        <Chart
          title="Completed per day"
          note="Tasks that were deleted or opened again do not count."
          kind="bars"
          days={days}
          series={[{ name: "completed", values: done, tone: "success" }]}
          summary={`${total.toLocaleString()} completed in ${days.length === 1 ? "a day" : `${days.length} days`}`}
          empty={
            <p>
              Nothing was completed in these days. Press the circle before a task, or <Kbd>E</Kbd> on it.
            </p>
          }
        />
        <Chart
          title="Overdue at the end of each day"
          note="Open past their due dates, as these are now."
          kind="area"
          days={days}
          series={[{ name: "overdue", values: late, tone: "danger" }]}
          summary={`${last} at the end, ${first} on the first day`}
          empty="Nothing was late in these days."
        />
      </div>
    </div>
  );
}
