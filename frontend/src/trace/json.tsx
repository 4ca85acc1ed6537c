"use client";

import { toJson } from "@bufbuild/protobuf";
import { Copy } from "lucide-react";
import { useState } from "react";

import { GetDecisionTraceResponseSchema, type GetDecisionTraceResponse } from "@/gen/todo/v1/observability_service_pb";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

/** A decision as software reads it. */
export function Json({ trace }: { trace: GetDecisionTraceResponse }) {
  const [shown, setShown] = useState(false);
  const text = JSON.stringify(toJson(GetDecisionTraceResponseSchema, trace, { useProtoFieldName: true }), null, 2);
  const copy = () =>
    // Without https there is no clipboard.
    (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
      () => toast("Copied"),
      () => toast("The browser does not let this page copy.", { kind: "error" }),
    );
  return (
    <div className="mt-1.5">
      <div className="-ml-2.5 flex gap-1">
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
