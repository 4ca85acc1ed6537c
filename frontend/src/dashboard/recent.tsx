"use client";

import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { useCallback, useEffect, useMemo, useState } from "react";

import { sentence } from "@/api/clients";
import { decisions } from "@/decisions/client";
import { Outcome } from "@/decisions/outcome";
import { intentName } from "@/decisions/words";
import type { DecisionRecord } from "@/gen/todo/v1/observability_service_pb";
import { millis, stamp } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { dueText, moment } from "@/time/words";
import { tracePath } from "@/trace/path";
import { Button } from "@/ui/button";
import { Segments } from "@/ui/segments";
import { Skeleton } from "@/ui/skeleton";

import { Panel } from "./panel";

const PAGE = 20;
const options = [
  { value: "all", label: "All" },
  { value: "errors", label: "Errors" },
] as const;
type Which = (typeof options)[number]["value"];

type State = { filter: object; items: DecisionRecord[]; more: boolean; problem?: string };

/** What was decided, the newest first; each leads to why. */
export function Recent({ edges }: { edges: number[] }) {
  const [which, setWhich] = useState<Which>("all");
  const [state, setState] = useState<State>();
  const filter = useMemo(() => {
    const [startTime, endTime] = [stamp(edges[0] ?? 0), stamp(edges.at(-1) ?? 0)];
    return { startTime, endTime, outcomeCategory: which === "errors" ? "ERROR" : "" };
  }, [edges, which]);
  const load = useCallback(
    async (known: DecisionRecord[]) => {
      try {
        const page = await decisions.listDecisions({ ...filter, limit: PAGE, offset: known.length });
        return { filter, items: [...known, ...page.items], more: page.hasMore };
      } catch (error) {
        return { filter, items: known, more: true, problem: sentence(error) };
      }
    },
    [filter],
  );
  useEffect(() => {
    let current = true;
    void load([]).then((state) => current && setState(state));
    return () => {
      current = false;
    };
  }, [load]);
  const shown = state?.filter === filter ? state : undefined;
  return (
    <Panel title="Recent messages">
      <div className="mb-2 w-48">
        <Segments label="Which messages" value={which} options={[...options]} onChange={setWhich} />
      </div>
      {!shown ? (
        <Skeleton rows={3} />
      ) : (
        <>
          {shown.items.length === 0 && !shown.problem && (
            <p className="py-6 text-center text-sm text-muted">
              {which === "errors" ? "No errors in these days." : "Nothing was asked in these days."}
            </p>
          )}
          <ul aria-label="Recent messages" className="-mx-2 divide-y divide-line">
            {shown.items.map((one) => (
              <Row key={one.decisionId} decision={one} />
            ))}
          </ul>
          {shown.problem && (
            <p role="alert" className="py-2 text-sm text-danger">
              {shown.problem}
            </p>
          )}
          {shown.more && (
            <Button
              look="ghost"
              size="sm"
              className="mt-2 w-full"
              onClick={() => void load(shown.items).then(setState)}
            >
              More
            </Button>
          )}
        </>
      )}
    </Panel>
  );
}

function Row({ decision }: { decision: DecisionRecord }) {
  const clock = useClock();
  const at = millis(decision.createdAt) ?? 0;
  return (
    <li>
      <Link
        href={tracePath(decision.conversationId, at)}
        prefetch={false}
        className="flex min-h-11 items-center gap-3 rounded-lg px-2 py-2 hover:bg-hover"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm">{decision.message}</span>
          <span className="block truncate text-xs text-muted" title={moment(at, clock.zone)}>
            {dueText(at, false, clock)} · {intentName(decision.intentType)}
          </span>
        </span>
        <Outcome outcome={decision.outcomeCategory} />
        <ChevronRight aria-hidden className="size-4 shrink-0 text-muted" />
      </Link>
    </li>
  );
}
