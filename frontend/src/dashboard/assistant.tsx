"use client";

import { MessageCircle } from "lucide-react";
import Link from "next/link";

import { callName } from "@/chat/calls";
import { intentName, outcomeName, percent, took } from "@/decisions/words";
import { Button, buttonClass } from "@/ui/button";
import { EmptyState } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";

import { Chart } from "./chart";
import { Figures } from "./panel";
import { Recent } from "./recent";
import { sum } from "./series";
import { Shares } from "./shares";
import type { Metrics } from "./use-metrics";

type Props = { edges: number[]; metrics?: Metrics; problem?: string; round: number; onReload: () => void };

/** What the assistant was asked, and how well it went. */
export function Assistant({ edges, metrics, problem, round, onReload }: Props) {
  if (problem) {
    return (
      <div role="alert" className="py-10 text-center text-sm text-muted">
        <p className="mb-3">{problem}</p>
        <Button size="sm" onClick={onReload}>
          Try again
        </Button>
      </div>
    );
  }
  if (!metrics) return <Skeleton rows={4} />;
  const { whole, succeeded, others } = metrics;
  const total = Number(whole.totalDecisions);
  if (total === 0) {
    return (
      <EmptyState icon={MessageCircle} title="Nothing was asked in these days">
        <p>Write “what’s due this week?” or “add milk tomorrow” in the chat, and it is counted and explained here.</p>
        <Link href="/chat" className={buttonClass()}>
          Open the chat
        </Link>
      </EmptyState>
    );
  }
  const days = edges.slice(0, -1);
  return (
    <div className="space-y-3">
      <Figures
        label="The assistant in numbers"
        figures={[
          { name: total === 1 ? "message answered" : "messages answered", value: total.toLocaleString() },
          { name: "went well", value: percent(whole.successRate) },
          { name: "mean time to answer", value: took(whole.avgDecisionDurationMs) },
          { name: "mean time of a tool", value: took(whole.avgToolDurationMs) },
        ]}
      />
      <Chart
        title="Messages per day"
        note="Whatever was not done as asked is apart: errors, questions back and refusals."
        kind="bars"
        days={days}
        series={[
          { name: "went well", values: succeeded, tone: "accent" },
          { name: "did not", values: others, tone: "danger" },
        ]}
        summary={`${sum(succeeded)} went well, ${sum(others)} did not`}
        empty="Nothing was asked in these days."
      />
      <div className="grid gap-3 md:grid-cols-3">
        <Shares
          title="What was asked"
          counts={whole.intentDistribution}
          name={intentName}
          none="Nothing."
          bar="bg-accent"
        />
        <Shares
          title="Tools called"
          counts={whole.toolUsage}
          name={callName}
          none="None: nothing had to be looked up or changed."
          bar="bg-accent"
        />
        <Shares
          title="What did not go well"
          counts={whole.errorBreakdown}
          name={outcomeName}
          none="Nothing: every message was answered as asked."
          bar="bg-danger"
        />
      </div>
      <Recent key={round} edges={edges} />
    </div>
  );
}
