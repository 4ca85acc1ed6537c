"use client";

import { MessageCircle, RotateCw, Route } from "lucide-react";
import Link from "next/link";
import { useSearchParams } from "next/navigation";

import { KEPT } from "@/decisions/client";
import { usePlaces } from "@/shell/places";
import { useShortcuts } from "@/shell/shortcuts";
import { TopBar } from "@/shell/top-bar";
import { millis } from "@/tasks/task";
import { Button, buttonClass, IconButton } from "@/ui/button";
import { EmptyState } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";

import { TurnCard } from "./turn-card";
import { useDecisions } from "./use-decisions";

/** Why the assistant did what it did in a conversation. */
export function TracePage() {
  const params = useSearchParams();
  const conversation = params.get("conversation") ?? "";
  const at = Number(params.get("at") ?? undefined);
  const { items, earlier, problem, reload, more } = useDecisions(conversation, Number.isNaN(at) ? undefined : at);
  useShortcuts(usePlaces({}));
  return (
    <main id="main" className="flex min-w-0 flex-1 flex-col">
      <TopBar title="Decisions">
        {conversation && (
          <>
            <Link
              href={`/chat?id=${conversation}`}
              prefetch={false}
              className={buttonClass("ghost", "sm")}
              aria-label="Open the conversation"
            >
              <MessageCircle className="size-4" /> <span className="hidden sm:inline">Conversation</span>
            </Link>
            <IconButton label="Reload" onClick={reload}>
              <RotateCw />
            </IconButton>
          </>
        )}
      </TopBar>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto w-full max-w-4xl px-4 pb-16 sm:px-6">
          {!conversation ? (
            <NoConversation />
          ) : problem ? (
            <div role="alert" className="py-16 text-center text-sm text-muted">
              <p className="mb-3">{problem}</p>
              <Button size="sm" onClick={reload}>
                Try again
              </Button>
            </div>
          ) : !items ? (
            <Skeleton rows={4} />
          ) : items.length === 0 ? (
            <EmptyState icon={Route} title="Nothing was decided here">
              <p>Either nothing was said in this conversation, or it was more than {KEPT} days ago.</p>
            </EmptyState>
          ) : (
            <>
              <p className="pb-3 text-sm text-muted">
                Each message, how it was read, what was decided by which rule, and what came of it.
              </p>
              {earlier && (
                <Button look="ghost" size="sm" className="mb-2 w-full" onClick={more}>
                  Earlier messages
                </Button>
              )}
              <ol aria-label="Decisions" className="space-y-3">
                {items.map((one, index) => (
                  <TurnCard
                    key={one.decisionId}
                    decision={one}
                    target={millis(one.createdAt) === at}
                    first={Number.isNaN(at) ? index === items.length - 1 : millis(one.createdAt) === at}
                  />
                ))}
              </ol>
            </>
          )}
        </div>
      </div>
    </main>
  );
}

function NoConversation() {
  return (
    <EmptyState icon={Route} title="Why did it do that?">
      <p>
        Press “Why?” under an answer in the chat, or choose a message on the dashboard: here is how it was read, what
        was decided, and which tools were called.
      </p>
      <p className="flex justify-center gap-2">
        <Link href="/chat" prefetch={false} className={buttonClass()}>
          Chat
        </Link>
        <Link href="/dashboard" prefetch={false} className={buttonClass()}>
          Dashboard
        </Link>
      </p>
    </EmptyState>
  );
}
