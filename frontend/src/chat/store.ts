import { createClient } from "@connectrpc/connect";
import { useSyncExternalStore } from "react";

import { sentence, transport } from "@/api/clients";
import { onSession, userId } from "@/api/session";
import { ChatService, type Conversation } from "@/gen/todo/v1/chat_service_pb";
import { newId } from "@/tasks/task";
import { toast } from "@/ui/toast";

import { why } from "./errors";
import { begin, empty, fail, isRunning, kept, take, type Thread } from "./thread";

/** By the id of the conversation; the one that has none yet is `NEW`. */
export const NEW = "";
const PAGE = 50;

type Held = Thread & { /** Why it could not be read. */ problem?: string };
type State = {
  conversations?: readonly Conversation[];
  total: number;
  problem?: string;
  threads: ReadonlyMap<string, Held>;
};

const nothing: State = { total: 0, threads: new Map() };
const client = createClient(ChatService, transport);
const listeners = new Set<() => void>();
let state = nothing;
let owner = userId();

function publish(change: Partial<State>) {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

onSession(() => {
  if (userId() === owner) return;
  owner = userId();
  publish({ conversations: undefined, problem: undefined, ...nothing });
});

function put(id: string, thread: Held | undefined) {
  const threads = new Map(state.threads);
  if (thread) threads.set(id, thread);
  else threads.delete(id);
  publish({ threads });
}

const held = (id: string) => state.threads.get(id) ?? empty;

/** Reads the newest conversations, or more of them. */
export async function list(more = false) {
  const known = (more && state.conversations) || [];
  try {
    const page = await client.listConversations({ limit: PAGE, offset: known.length });
    const conversations = [...known, ...page.conversations];
    publish({ conversations, total: Number(page.total), problem: undefined });
  } catch (error) {
    publish({ problem: why(error) });
  }
}

/** Reads a conversation, unless it is being talked in. */
export async function read(id: string) {
  if (id === NEW || isRunning(held(id))) return;
  try {
    const conversation = await client.getConversation({ id });
    if (!isRunning(held(id))) put(id, kept(conversation, held(id).turns));
  } catch (error) {
    put(id, { ...held(id), problem: why(error) });
  }
}

/** Says something, or with a `messageId` says it again. `begun` hears the id of a new conversation. */
export async function send(id: string, content: string, messageId = newId(), begun?: (id: string) => void) {
  if (isRunning(held(id))) return;
  const speaker = owner;
  let at = id;
  const change = (act: (thread: Thread) => Thread) => {
    if (owner === speaker) put(at, act(held(at)));
  };
  change((thread) => begin(thread, messageId, content, Date.now()));
  try {
    for await (const response of client.sendMessage({ conversationId: id || undefined, messageId, content })) {
      const conversation = response.step.case === "started" && response.step.value.conversation;
      if (conversation && owner === speaker) {
        rise(conversation);
        if (at === NEW) {
          at = conversation.id;
          put(at, held(NEW));
          put(NEW, undefined);
          begun?.(at);
        }
      }
      change((thread) => take(thread, messageId, response));
    }
    change((thread) => fail(thread, messageId, "The answer broke off."));
  } catch (error) {
    change((thread) => fail(thread, messageId, why(error)));
  }
}

/** The conversation that was last talked in comes first. */
function rise(conversation: Conversation) {
  const { conversations = [], total } = state;
  const others = conversations.filter(({ id }) => id !== conversation.id);
  const isNew = others.length === conversations.length && conversation.messageCount <= 1n;
  publish({ conversations: [conversation, ...others], total: isNew ? total + 1 : total });
}

export async function rename({ id }: Conversation, title: string) {
  try {
    const renamed = await client.renameConversation({ id, title });
    publish({ conversations: state.conversations?.map((one) => (one.id === id ? renamed : one)) });
  } catch (error) {
    toast(sentence(error), { kind: "error" });
  }
}

/** Tells whether it is gone. */
export async function remove({ id }: Conversation): Promise<boolean> {
  try {
    await client.deleteConversation({ id });
  } catch (error) {
    toast(sentence(error), { kind: "error" });
    return false;
  }
  put(id, undefined);
  publish({ conversations: state.conversations?.filter((one) => one.id !== id), total: state.total - 1 });
  return true;
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useChats(): State {
  return useSyncExternalStore(
    subscribe,
    () => state,
    () => nothing,
  );
}
