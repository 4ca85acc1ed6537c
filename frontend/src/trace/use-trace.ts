"use client";

import { useEffect, useState } from "react";

import { sentence } from "@/api/clients";
import { decisions } from "@/decisions/client";
import type { GetDecisionTraceResponse } from "@/gen/todo/v1/observability_service_pb";

/** A decision with the tools that were called for it, once it is here. */
export function useTrace(id: string) {
  const [trace, setTrace] = useState<GetDecisionTraceResponse>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const ended = new AbortController();
    decisions
      .getDecisionTrace({ id }, { signal: ended.signal })
      .then(setTrace)
      .catch((error: unknown) => ended.signal.aborted || setProblem(sentence(error)));
    return () => ended.abort();
  }, [id]);
  return { trace, problem };
}
