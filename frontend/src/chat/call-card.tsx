"use client";

import { Check, ChevronRight, Loader2, TriangleAlert } from "lucide-react";
import { useId, useState } from "react";

import { useLive } from "@/live/store";

import { callName, rows, type Row } from "./calls";
import type { Call } from "./thread";

/** One call of a tool: its name, and what went in and came out when it is opened. */
export function CallCard({ call: { invocation, running } }: { call: Call }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { zone } = useLive();
  const failed = !running && !invocation.success;
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface text-[0.8125rem]">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        className="flex min-h-8 w-full items-center gap-2 px-2.5 py-1 text-left hover:bg-hover pointer-coarse:min-h-11 [&_svg]:size-3.5 [&_svg]:shrink-0"
      >
        {running ? (
          <Loader2 className="animate-spin text-muted" aria-hidden />
        ) : failed ? (
          <TriangleAlert className="text-danger" aria-hidden />
        ) : (
          <Check className="text-success" aria-hidden />
        )}
        <span className="min-w-0 truncate font-medium">{callName(invocation.toolName)}</span>
        {failed && <span className="text-danger">failed</span>}
        <span className="ml-auto shrink-0 text-xs text-muted tabular-nums">
          {running ? "running" : `${invocation.durationMs} ms`}
        </span>
        <ChevronRight className={open ? "rotate-90 text-muted" : "text-muted"} aria-hidden />
      </button>
      {open && (
        <div id={id} className="animate-fade space-y-3 border-t border-line px-3 py-2.5">
          <Rows title="Asked" rows={rows(invocation.parameters, zone)} />
          {invocation.errorMessage !== undefined && (
            <p className="text-danger">
              {invocation.errorMessage} <span className="text-xs">({invocation.errorCode})</span>
            </p>
          )}
          {invocation.result && <Rows title="Answered" rows={rows(invocation.result, zone)} />}
        </div>
      )}
    </div>
  );
}

function Rows({ title, rows }: { title: string; rows: Row[] }) {
  return (
    <div>
      <p className="mb-1 text-xs font-medium text-muted">{title}</p>
      {rows.length === 0 ? (
        <p className="text-muted">Nothing to show</p>
      ) : (
        <dl className="grid grid-cols-[minmax(5.5rem,auto)_1fr] gap-x-3 gap-y-0.5">
          {rows.map(({ name, value }, index) => (
            <div key={index} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="min-w-0 break-words whitespace-pre-line">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
