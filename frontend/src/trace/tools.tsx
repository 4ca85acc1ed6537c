import { CallCard } from "@/chat/call-card";
import type { GetDecisionTraceResponse } from "@/gen/todo/v1/observability_service_pb";

/** The tools that were called for a decision. */
export function Tools({ trace, problem }: { trace?: GetDecisionTraceResponse; problem?: string }) {
  if (problem) {
    return (
      <p role="alert" className="text-danger">
        {problem}
      </p>
    );
  }
  if (!trace) {
    return (
      <p role="status" className="h-8 animate-pulse rounded-lg bg-sunken">
        <span className="sr-only">Loading</span>
      </p>
    );
  }
  if (trace.toolInvocations.length === 0) return <p>None: nothing was looked up or changed.</p>;
  return (
    <div className="grid gap-1.5">
      {trace.toolInvocations.map((invocation) => (
        <CallCard key={invocation.sequence} call={{ invocation, running: false }} />
      ))}
    </div>
  );
}
