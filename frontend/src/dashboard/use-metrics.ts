"use client";

import { useCallback, useEffect, useState } from "react";

import { sentence } from "@/api/clients";
import { decisions } from "@/decisions/client";
import type { GetDecisionMetricsResponse } from "@/gen/todo/v1/observability_service_pb";
import { millis, stamp } from "@/tasks/task";

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
  const range = { startTime: stamp(edges[0] ?? 0), endTime: stamp(edges.at(-1) ?? 0) };
  const whole = await decisions.getDecisionMetrics({ ...range, byDay: true }, { signal });
  const days = new Map(whole.days.map((day) => [millis(day.startTime), day]));
  const each = edges.slice(0, -1).map((start) => days.get(start));
  const succeeded = each.map((day) => Number(day?.successes ?? 0n));
  return { whole, succeeded, others: each.map((day, at) => Number(day?.totalDecisions ?? 0n) - (succeeded[at] ?? 0)) };
}
