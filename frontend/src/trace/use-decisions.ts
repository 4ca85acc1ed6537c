"use client";

import { useCallback, useEffect, useState } from "react";

import { why } from "@/chat/errors";
import { decisions } from "@/decisions/client";
import type { DecisionRecord } from "@/gen/todo/v1/observability_service_pb";
import { millis } from "@/tasks/task";

const PAGE = 20;

type State = { conversation?: string; items?: DecisionRecord[]; earlier: boolean; problem?: string };

/** The decisions of a conversation, oldest first: the latest, back to the one made `at`, and earlier ones when asked for. */
export function useDecisions(conversation: string, at: number | undefined) {
  const [state, setState] = useState<State>({ earlier: false });
  const load = useCallback(
    async (known: DecisionRecord[], until: number): Promise<State> => {
      let items = known;
      try {
        for (;;) {
          const page = await decisions.listDecisions({
            conversationId: conversation,
            limit: PAGE,
            offset: items.length,
          });
          items = [...page.items.reverse(), ...items];
          const oldest = millis(items[0]?.createdAt) ?? 0;
          if (!page.hasMore || oldest <= until) return { conversation, items, earlier: page.hasMore };
        }
      } catch (error) {
        return { conversation, items: known, earlier: false, problem: why(error) };
      }
    },
    [conversation],
  );
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!conversation) return;
    let current = true;
    void load([], at ?? Infinity).then((state) => current && setState(state));
    return () => {
      current = false;
    };
  }, [load, conversation, at, round]);
  const shown: State = state.conversation === conversation ? state : { earlier: false };
  return {
    ...shown,
    reload: useCallback(() => setRound((now) => now + 1), []),
    more: () => void load(shown.items ?? [], Infinity).then(setState),
  };
}
