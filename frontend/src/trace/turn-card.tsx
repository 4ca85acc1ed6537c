"use client";

import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";

import { Markdown } from "@/chat/markdown";
import { Outcome } from "@/decisions/outcome";
import { intentName, percent, policy, reading, took } from "@/decisions/words";
import type { DecisionRecord } from "@/gen/todo/v1/observability_service_pb";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { dueText, moment } from "@/time/words";

import { Json } from "./json";
import { Step } from "./step";
import { Tools } from "./tools";
import { useTrace } from "./use-trace";

type Props = {
  decision: DecisionRecord;
  /** It is the one asked for. */
  target: boolean;
  /** Open at first. */
  first: boolean;
};

/** A turn in one line; opened, all that is known of it. */
export function TurnCard({ decision, target, first }: Props) {
  const [open, setOpen] = useState(first);
  const card = useRef<HTMLLIElement>(null);
  const id = useId();
  const clock = useClock();
  const at = millis(decision.createdAt) ?? 0;
  const { did } = policy(decision.decisionType);
  useEffect(() => {
    if (target) card.current?.scrollIntoView({ block: "start" });
  }, [target]);
  return (
    <li
      ref={card}
      className={clsx("scroll-mt-2 rounded-xl border bg-surface", target ? "border-accent-ink" : "border-line")}
    >
      <h2>
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
          className="flex w-full items-start gap-3 rounded-xl px-4 py-3 text-left hover:bg-hover"
        >
          <ChevronRight aria-hidden className={clsx("mt-1 size-4 shrink-0 text-muted", open && "rotate-90")} />
          <span className="min-w-0 flex-1">
            <span className={clsx("block font-medium break-words", !open && "line-clamp-2")}>{decision.message}</span>
            <span className="block text-[0.8125rem] font-normal text-muted">
              <time dateTime={new Date(at).toISOString()} title={moment(at, clock.zone)}>
                {dueText(at, false, clock)}
              </time>{" "}
              · {intentName(decision.intentType)} · {did}
            </span>
          </span>
          <Outcome outcome={decision.outcomeCategory} />
        </button>
      </h2>
      {open && (
        <div id={id} className="animate-fade border-t border-line px-4 py-4 sm:pl-11">
          <Explained decision={decision} />
        </div>
      )}
    </li>
  );
}

function Explained({ decision }: { decision: DecisionRecord }) {
  const { trace, problem } = useTrace(decision.decisionId);
  const { engine, read } = reading(decision);
  const { did, because } = policy(decision.decisionType);
  return (
    <ol className="space-y-4">
      <Step title="How it was read">
        <p>
          <strong className="font-medium">{intentName(decision.intentType)}</strong>
          {engine ? `, by ${engine}` : ""}, {percent(decision.confidence)} sure.
        </p>
        {read.length > 0 && (
          <ul className="mt-1.5 space-y-1">
            {read.map((one, index) => (
              <li key={index} className="rounded-md bg-sunken px-2.5 py-1 text-[0.8125rem] break-words">
                {one}
              </li>
            ))}
          </ul>
        )}
      </Step>
      <Step title="What was decided">
        <p>
          <strong className="font-medium">{did}.</strong> {because}
        </p>
      </Step>
      <Step title="Tools called">
        <Tools trace={trace} problem={problem} />
      </Step>
      <Step title="What came of it">
        <p className="mb-1.5 flex flex-wrap items-center gap-2 text-[0.8125rem] text-muted">
          <Outcome outcome={decision.outcomeCategory} /> after {took(Number(decision.durationMs))}
        </p>
        <div className="rounded-lg border border-line px-3 py-2">
          <Markdown text={decision.responseText} />
        </div>
        {trace && <Json trace={trace} />}
      </Step>
    </ol>
  );
}
