"use client";

import { useCallback, useEffect, useState } from "react";

import { sentence } from "@/api/clients";
import { decisions, KEPT } from "@/decisions/client";
import type { GetDecisionMetricsResponse } from "@/gen/todo/v1/observability_service_pb";
import { stamp } from "@/tasks/task";

/** Of the whole range, and of each of its days: successes and the rest. */
export type Metrics = { whole: GetDecisionMetricsResponse; succeeded: number[]; others: number[] };

type State = { edges?: number[]; metrics?: Metrics; problem?: string };

/** The assistant's numbers from the first edge to the last; `reload` asks for them again. */
export function useMetrics(edges: number[] | undefined) {
  const [state, setState] = useState<State>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!edges) return;
    const ended = new AbortController();
    measure(edges, ended.signal)
      .then((metrics) => setState({ edges, metrics }))
      .catch((error: unknown) => {
        if (!ended.signal.aborted) setState({ edges, problem: sentence(error) });
      });
    return () => ended.abort();
  }, [edges, round]);
  const { metrics, problem } = state.edges === edges ? state : {};
  return { metrics, problem, reload: useCallback(() => setRound((now) => now + 1), []) };
}

async function measure(edges: number[], signal: AbortSignal): Promise<Metrics> {
  const between = (start = 0, end = 0) =>
    decisions.getDecisionMetrics({ startTime: stamp(start), endTime: stamp(end) }, { signal });
  const oldest = Date.now() - (KEPT + 1) * 86_400_000;
  const days = edges.slice(1).map(async (end, day) => {
    if (end < oldest) return { total: 0, good: 0 };
    const { totalDecisions, successRate } = await between(edges[day], end);
    return { total: Number(totalDecisions), good: Math.round(Number(totalDecisions) * successRate) };
  });
  const [whole, ...each] = await Promise.all([between(edges[0], edges.at(-1)), ...days]);
  return { whole, succeeded: each.map(({ good }) => good), others: each.map(({ total, good }) => total - good) };
}
