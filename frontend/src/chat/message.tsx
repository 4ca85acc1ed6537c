import { RotateCcw, Sparkles } from "lucide-react";
import Link from "next/link";
import { memo, type ReactNode } from "react";

import type { Message } from "@/gen/todo/v1/chat_service_pb";
import { Role } from "@/gen/todo/v1/chat_service_pb";
import { millis } from "@/tasks/task";
import { moment, timeOfDay } from "@/time/words";
import { Button } from "@/ui/button";

import { CallCard } from "./call-card";
import { Markdown } from "./markdown";
import { TaskCards } from "./task-cards";
import type { Call, Turn } from "./thread";

type KeptProps = { message: Message; zone: string; /** Where it is explained. */ why: string };

/** A message that is kept. */
export const KeptMessage = memo(function KeptMessage({ message, zone, why }: KeptProps) {
  const at = millis(message.createdAt) ?? 0;
  if (message.role === Role.USER) return <Said content={message.content} at={at} zone={zone} />;
  return (
    <Reply calls={message.toolCalls.map((invocation) => ({ invocation, running: false }))} text={message.content}>
      <TaskCards calls={message.toolCalls} />
      <Link
        href={why}
        prefetch={false}
        className="-my-1 inline-flex h-6 items-center rounded text-xs text-muted underline-offset-4 hover:text-ink hover:underline pointer-coarse:-my-3 pointer-coarse:h-11"
      >
        Why?
      </Link>
    </Reply>
  );
});

type Props = { turn: Turn; zone: string; onRetry: () => void };

/** A message on its way, and as much of its answer as is here. */
export function RunningTurn({ turn, zone, onRetry }: Props) {
  const waiting = turn.error === undefined && turn.text === "";
  return (
    <>
      <Said content={turn.content} at={turn.at} zone={zone} />
      {(turn.error === undefined || turn.text !== "" || turn.calls.length > 0) && (
        <Reply calls={turn.calls} text={turn.text}>
          {waiting && <Typing />}
        </Reply>
      )}
      {turn.error !== undefined && (
        <div role="alert" className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1 text-sm text-danger">
          {turn.error}
          <Button size="sm" onClick={onRetry}>
            <RotateCcw className="size-3.5" /> Try again
          </Button>
        </div>
      )}
    </>
  );
}

function Said({ content, at, zone }: { content: string; at: number; zone: string }) {
  return (
    <div className="flex items-end justify-end gap-2">
      <time dateTime={new Date(at).toISOString()} title={moment(at, zone)} className="text-xs text-muted tabular-nums">
        {timeOfDay(at, zone)}
      </time>
      <p className="max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-3.5 py-2 break-words whitespace-pre-wrap">
        <span className="sr-only">You: </span>
        {content}
      </p>
    </div>
  );
}

function Reply({ calls, text, children }: { calls: Call[]; text: string; children: ReactNode }) {
  return (
    <div className="flex gap-3">
      <span
        aria-hidden
        className="mt-0.5 hidden size-7 shrink-0 items-center justify-center rounded-full bg-linear-to-br from-accent to-accent-2 text-white sm:flex"
      >
        <Sparkles className="size-4" />
      </span>
      <div className="min-w-0 flex-1 space-y-2.5">
        <span className="sr-only">Assistant: </span>
        {calls.length > 0 && (
          <div className="grid max-w-xl gap-1.5">
            {calls.map((call) => (
              <CallCard key={call.invocation.sequence} call={call} />
            ))}
          </div>
        )}
        {text && <Markdown text={text} />}
        {children}
      </div>
    </div>
  );
}

function Typing() {
  return (
    <div role="status" className="flex h-6 items-center gap-1">
      <span className="sr-only">The assistant is answering</span>
      {[0, 1, 2].map((dot) => (
        <span
          key={dot}
          aria-hidden
          className="size-1.5 animate-bounce rounded-full bg-muted"
          style={{ animationDelay: `${dot * 140}ms` }}
        />
      ))}
    </div>
  );
}
