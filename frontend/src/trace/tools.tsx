"use client";

import { toJson } from "@bufbuild/protobuf";
import { Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { sentence } from "@/api/clients";
import { CallCard } from "@/chat/call-card";
import { decisions } from "@/decisions/client";
import {
  GetDecisionTraceResponseSchema,
  type DecisionRecord,
  type GetDecisionTraceResponse,
} from "@/gen/todo/v1/observability_service_pb";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

import { Step } from "./step";

/** The tools that were called for a decision, and all of it as software reads it. */
export function Tools({ decision: { decisionId } }: { decision: DecisionRecord }) {
  const [trace, setTrace] = useState<GetDecisionTraceResponse>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const ended = new AbortController();
    decisions
      .getDecisionTrace({ id: decisionId }, { signal: ended.signal })
      .then(setTrace)
      .catch((error: unknown) => ended.signal.aborted || setProblem(sentence(error)));
    return () => ended.abort();
  }, [decisionId]);
  const calls = trace?.toolInvocations ?? [];
  return (
    <Step title="Tools called">
      {problem ? (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      ) : !trace ? (
        <p role="status" className="h-8 animate-pulse rounded-lg bg-sunken">
          <span className="sr-only">Loading</span>
        </p>
      ) : calls.length === 0 ? (
        <p>None: nothing was looked up or changed.</p>
      ) : (
        <div className="grid gap-1.5">
          {calls.map((invocation) => (
            <CallCard key={invocation.sequence} call={{ invocation, running: false }} />
          ))}
        </div>
      )}
      {trace && <Json trace={trace} />}
    </Step>
  );
}

function Json({ trace }: { trace: GetDecisionTraceResponse }) {
  const [shown, setShown] = useState(false);
  const text = JSON.stringify(toJson(GetDecisionTraceResponseSchema, trace, { useProtoFieldName: true }), null, 2);
  const copy = () =>
    // Without https there is no clipboard.
    (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
      () => toast("Copied"),
      () => toast("The browser does not let this page copy.", { kind: "error" }),
    );
  return (
    <div className="mt-2">
      <div className="flex gap-1">
        <Button size="sm" look="ghost" aria-expanded={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide JSON" : "Show JSON"}
        </Button>
        <Button size="sm" look="ghost" onClick={() => void copy()}>
          <Copy className="size-3.5" /> Copy JSON
        </Button>
      </div>
      {shown && (
        <pre
          tabIndex={0}
          aria-label="The decision as JSON"
          className="mt-1 max-h-96 overflow-auto rounded-lg bg-sunken p-3 text-xs"
        >
          {text}
        </pre>
      )}
    </div>
  );
}
