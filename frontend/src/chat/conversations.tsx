"use client";

import { Plus } from "lucide-react";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { ConversationRow } from "./conversation-row";
import { list, NEW, useChats } from "./store";

type Props = { current: string; onPick: (id: string) => void };

/** The conversations, newest activity first. */
export function Conversations({ current, onPick }: Props) {
  const { conversations, total, problem } = useChats();
  return (
    <nav aria-label="Conversations" className="flex h-full flex-col">
      <div className="flex h-14 shrink-0 items-center px-3">
        <Button className="w-full" onClick={() => onPick(NEW)}>
          <Plus className="size-4" /> New chat
        </Button>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-4">
        {problem && (
          <p role="alert" className="px-2 py-3 text-sm text-danger">
            {problem}{" "}
            <button type="button" className="underline" onClick={() => void list()}>
              Try again
            </button>
          </p>
        )}
        {conversations ? (
          <ul className="space-y-px">
            {conversations.map((one) => (
              <ConversationRow
                key={one.id}
                conversation={one}
                current={one.id === current}
                onPick={() => onPick(one.id)}
                onGone={() => one.id === current && onPick(NEW)}
              />
            ))}
          </ul>
        ) : (
          !problem && <Skeleton rows={4} />
        )}
        {conversations?.length === 0 && <p className="px-2.5 py-2 text-sm text-muted">No conversations yet.</p>}
        {conversations && conversations.length < total && (
          <Button look="ghost" size="sm" className="mt-2 w-full" onClick={() => void list(true)}>
            More
          </Button>
        )}
      </div>
    </nav>
  );
}
