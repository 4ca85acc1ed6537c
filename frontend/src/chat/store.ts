import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { useSyncExternalStore } from "react";

import { sentence, transport } from "@/api/clients";
import { onSession, userId } from "@/api/session";
import { Channel, exclusive } from "@/api/tabs";
import {
  ChatService,
  SendMessageResponseSchema,
  ConversationSchema,
  type Conversation,
  type SendMessageResponse,
} from "@/gen/todo/v1/chat_service_pb";
import { newId } from "@/tasks/task";
import { toast } from "@/ui/toast";

import { why } from "./errors";
import { begin, empty, fail, isRunning, kept, take, type Thread } from "./thread";

/** By the id of the conversation; the one that has none yet is `NEW`. */
export const NEW = "";
const PAGE = 50;
const BROKE_OFF = "The answer broke off.";

type Held = Thread & { /** Why it could not be read. */ problem?: string };
type State = {
  conversations?: readonly Conversation[];
  total: number;
  problem?: string;
  threads: ReadonlyMap<string, Held>;
};

/** What a tab tells the others of what it does. */
type News = { owner: string | undefined } & (
  { said: Said; step?: Uint8Array; error?: string } | { renamed: Uint8Array } | { removed: string }
);
type Said = { id: string; messageId: string; content: string; at: number };

const nothing: State = { total: 0, threads: new Map() };
const client = createClient(ChatService, transport);
const listeners = new Set<() => void>();
let state = nothing;
let owner = userId();
const channel = new Channel<News>("todo.chat");
/** Held by the tab that sends the message. */
const sending = (messageId: string) => `todo.chat.${messageId}`;

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
  const said: Said = { id, messageId, content, at: Date.now() };
  const change = (act: (thread: Thread) => Thread) => {
    if (owner === speaker) put(said.id, act(held(said.id)));
  };
  const tell = (news: { step?: Uint8Array; error?: string }) => {
    if (said.id !== NEW) channel.post({ owner: speaker, said, ...news });
  };
  const broken = (error: string) => {
    change((thread) => fail(thread, messageId, error));
    tell({ error });
  };
  change((thread) => begin(thread, messageId, content, said.at));
  const talk = async () => {
    tell({});
    for await (const response of client.sendMessage({ conversationId: id || undefined, messageId, content })) {
      const conversation = begins(response);
      if (conversation && owner === speaker) {
        rise(conversation);
        if (said.id === NEW) {
          said.id = conversation.id;
          put(said.id, held(NEW));
          put(NEW, undefined);
          begun?.(said.id);
        }
      }
      change((thread) => take(thread, messageId, response));
      tell({ step: toBinary(SendMessageResponseSchema, response) });
    }
    broken(BROKE_OFF);
  };
  await exclusive(sending(messageId), talk).catch((error: unknown) => broken(why(error)));
}

const begins = ({ step }: SendMessageResponse) => (step.case === "started" ? step.value.conversation : undefined);

/** What another tab says and is answered. */
function overhear({ id, messageId, content, at }: Said, step?: Uint8Array, error?: string) {
  const response = step && fromBinary(SendMessageResponseSchema, step);
  const conversation = response && begins(response);
  if (conversation) rise(conversation);
  if (!state.threads.has(id)) return;
  if (error !== undefined) return put(id, fail(held(id), messageId, error));
  if (!awaits(id, messageId)) {
    put(id, begin(held(id), messageId, content, at));
    void outlast(id, messageId);
  }
  if (response) put(id, take(held(id), messageId, response));
}

const awaits = (id: string, messageId: string) =>
  held(id).turns.some((turn) => turn.messageId === messageId && turn.error === undefined);

/** Looks what came of a message whose tab has gone before the answer. */
async function outlast(id: string, messageId: string) {
  if (!navigator.locks) return;
  await exclusive(sending(messageId), async () => undefined);
  const conversation = await client.getConversation({ id }).catch(() => undefined);
  if (!awaits(id, messageId)) return;
  const broken = fail(held(id), messageId, BROKE_OFF);
  put(id, conversation ? kept(conversation, broken.turns) : broken);
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
    replace(renamed);
    channel.post({ owner, renamed: toBinary(ConversationSchema, renamed) });
  } catch (error) {
    toast(sentence(error), { kind: "error" });
  }
}

function replace(renamed: Conversation) {
  publish({ conversations: state.conversations?.map((one) => (one.id === renamed.id ? renamed : one)) });
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
  drop(id);
  channel.post({ owner, removed: id });
  return true;
}

function drop(id: string) {
  publish({ conversations: state.conversations?.filter((one) => one.id !== id), total: state.total - 1 });
}

channel.listen((news) => {
  if (news.owner !== owner) return;
  if ("said" in news) return overhear(news.said, news.step, news.error);
  if ("renamed" in news) return replace(fromBinary(ConversationSchema, news.renamed));
  drop(news.removed);
  // Who reads it is told that it is not there any more.
  if (state.threads.has(news.removed)) void read(news.removed);
});

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
