"use client";

import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";

import { useLive } from "@/live/store";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { dayHeading } from "@/time/words";
import { dayStart } from "@/time/zone";
import { tracePath } from "@/trace/path";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { Composer } from "./composer";
import { KeptMessage, RunningTurn } from "./message";
import { Replies } from "./replies";
import { NEW, read, send, useChats } from "./store";
import { empty, isRunning } from "./thread";
import { Welcome } from "./welcome";

type Props = {
  id: string;
  /** A new conversation has got its id. */
  onBegun: (id: string) => void;
};

/** A conversation: what was said, and where to say more. */
export function Talk({ id, onBegun }: Props) {
  const { threads } = useChats();
  const { zone } = useLive();
  const held = threads.get(id);
  const thread = held ?? empty;
  const { messages, turns } = thread;
  const busy = isRunning(thread);
  const input = useRef<HTMLTextAreaElement>(null);

  useEffect(() => void read(id), [id]);
  useEffect(() => {
    // On a phone this would bring up the keys over what is to be read.
    if (window.matchMedia("(pointer: fine)").matches) input.current?.focus();
  }, [id]);

  const say = (text: string, messageId?: string) => {
    input.current?.focus();
    void send(id, text, messageId, onBegun);
  };
  const isNew = id === NEW && messages.length === 0 && turns.length === 0;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Scroll follow={thread} at={id}>
        {held?.problem ? (
          <div role="alert" className="py-16 text-center text-sm text-muted">
            <p className="mb-3">{held.problem}</p>
            <Button size="sm" onClick={() => void read(id)}>
              Try again
            </Button>
          </div>
        ) : isNew ? (
          <Welcome onSay={say} />
        ) : !held ? (
          <Skeleton rows={4} />
        ) : (
          <div role="log" aria-label="Messages" aria-busy={busy} className="space-y-4 py-4">
            {messages.map((message, index) => (
              <div key={message.id} className="space-y-4">
                <Day at={millis(message.createdAt) ?? 0} before={millis(messages[index - 1]?.createdAt)} zone={zone} />
                <KeptMessage
                  message={message}
                  zone={zone}
                  why={tracePath(id, millis(messages[index - 1]?.createdAt))}
                />
              </div>
            ))}
            {turns.map((turn, index) => (
              <div key={turn.messageId} className="space-y-4">
                <Day at={turn.at} before={turns[index - 1]?.at ?? millis(messages.at(-1)?.createdAt)} zone={zone} />
                <RunningTurn turn={turn} zone={zone} onRetry={() => say(turn.content, turn.messageId)} />
              </div>
            ))}
            {!busy && thread.confirmation && <Replies confirmation={thread.confirmation} onSay={say} />}
          </div>
        )}
      </Scroll>
      <div className="mx-auto w-full max-w-3xl px-3 pt-2 pb-3 sm:px-5 sm:pb-5">
        <Composer input={input} busy={busy} onSend={say} />
      </div>
    </div>
  );
}

/** Stays at the end while more is said, unless one has scrolled away from it. */
function Scroll({ follow, at, children }: { follow: object; at: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    atEnd.current = true;
  }, [at]);
  useLayoutEffect(() => {
    if (atEnd.current) box.current?.scrollTo(0, box.current.scrollHeight);
  }, [follow, at]);
  return (
    <div
      ref={box}
      tabIndex={0}
      role="region"
      aria-label="Conversation"
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        atEnd.current = scrollTop + clientHeight > scrollHeight - 80;
      }}
      className="min-h-0 flex-1 overflow-y-auto focus-visible:-outline-offset-2"
    >
      <div className="mx-auto w-full max-w-3xl px-3 sm:px-5">{children}</div>
    </div>
  );
}

/** Says the day where it begins. */
function Day({ at, before, zone }: { at: number; before: number | undefined; zone: string }) {
  const clock = useClock();
  if (before !== undefined && dayStart(before, zone) === dayStart(at, zone)) return null;
  return (
    <h2 className="flex items-center gap-3 text-xs font-medium text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
      {dayHeading(at, clock)}
    </h2>
  );
}
