"use client";

import type { Confirmation } from "@/gen/todo/v1/chat_service_pb";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { Button } from "@/ui/button";

type Props = { confirmation: Confirmation; onSay: (text: string) => void };

/** What may be said to settle what waits, as buttons, until it means nothing any more. */
export function Replies({ confirmation: { replies, expiresAt, destructive }, onSay }: Props) {
  const { now } = useClock();
  if ((millis(expiresAt) ?? 0) <= now) return null;
  return (
    <div role="group" aria-label="Answer" className="flex flex-wrap gap-2 sm:pl-10">
      {replies.map((reply) => (
        <Button
          key={reply}
          look={reply !== "yes" ? "secondary" : destructive ? "danger" : "primary"}
          className="min-w-11"
          onClick={() => onSay(reply)}
        >
          {reply.charAt(0).toUpperCase() + reply.slice(1)}
        </Button>
      ))}
    </div>
  );
}
