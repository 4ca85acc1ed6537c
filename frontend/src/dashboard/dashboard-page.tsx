"use client";

import { RotateCw } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { useMemo, useState, type ReactNode } from "react";

import { KEPT } from "@/decisions/client";
import { useLive } from "@/live/store";
import { useGo } from "@/shell/navigate";
import { usePlaces } from "@/shell/places";
import { useShortcuts } from "@/shell/shortcuts";
import { TopBar } from "@/shell/top-bar";
import { useClock } from "@/time/clock";
import { dayStart } from "@/time/zone";
import { IconButton } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { Assistant } from "./assistant";
import { edges as edgesOf, read, write } from "./range";
import { RangePicker } from "./range-picker";
import { TaskTrends } from "./task-trends";
import { useMetrics } from "./use-metrics";

/** How the tasks and the assistant do over a range of days. */
export function DashboardPage() {
  const params = useSearchParams();
  const { ready, zone } = useLive();
  const { today } = useClock();
  const go = useGo();
  const range = useMemo(() => read(new URLSearchParams(params)), [params]);
  // The day is the clock's: within one, nothing moves.
  const edges = useMemo(() => edgesOf(range, { now: today, today, tomorrow: today, zone }), [range, today, zone]);
  const { metrics, problem, reload } = useMetrics(ready ? edges : undefined);
  const [round, setRound] = useState(0);
  const again = () => {
    reload();
    setRound(round + 1);
  };
  useShortcuts(usePlaces({}));
  const isOlder = (edges[0] ?? 0) < dayStart(today, zone, -KEPT);
  return (
    <main id="main" className="flex min-w-0 flex-1 flex-col">
      <TopBar title="Dashboard">
        <IconButton label="Reload" onClick={again}>
          <RotateCw />
        </IconButton>
      </TopBar>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto w-full max-w-4xl space-y-6 px-4 pb-16 sm:px-6">
          {!ready ? (
            <Skeleton rows={8} />
          ) : (
            <>
              <RangePicker range={range} edges={edges} onChange={(next) => go(write(next), "replace")} />
              <Part title="Tasks">
                <TaskTrends edges={edges} />
              </Part>
              <Part
                title="Assistant"
                note={isOlder ? `Messages are explained and counted for ${KEPT} days.` : undefined}
              >
                <Assistant edges={edges} metrics={metrics} problem={problem} round={round} onReload={again} />
              </Part>
            </>
          )}
        </div>
      </div>
    </main>
  );
}

function Part({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="space-y-3">
      <div className="flex flex-wrap items-baseline gap-x-3">
        <h2 className="text-base font-semibold">{title}</h2>
        {note && <p className="text-[0.8125rem] text-muted">{note}</p>}
      </div>
      {children}
    </section>
  );
}
