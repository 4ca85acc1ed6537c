import type {
  Confirmation,
  GetConversationResponse,
  Message,
  SendMessageResponse,
  ToolInvocation,
} from "@/gen/todo/v1/chat_service_pb";
import { Role } from "@/gen/todo/v1/chat_service_pb";
import { millis } from "@/tasks/task";

/** A message on its way to its answer. */
export type Turn = {
  /** Made here, so that sending it again is the same turn. */
  messageId: string;
  content: string;
  at: number;
  calls: Call[];
  text: string;
  /** Why it broke off; it can be sent again. */
  error?: string;
};

export type Call = { invocation: ToolInvocation; running: boolean };

/** A conversation as it is shown: what is kept, and after it what is not answered yet. */
export type Thread = { messages: Message[]; turns: Turn[]; confirmation?: Confirmation };

export const empty: Thread = { messages: [], turns: [] };

export const isRunning = ({ turns }: Thread) => turns.some(({ error }) => error === undefined);

/**
 * What the server has, and what it never got; a message without an answer can be sent again. `turns` are those that broke
 * off here.
 */
export function kept({ messages, confirmation }: GetConversationResponse, turns: Turn[]): Thread {
  const known = messages.map(({ id }) => id);
  const lost = turns.filter(({ messageId }) => !known.includes(messageId));
  const last = messages.at(-1);
  if (last?.role !== Role.USER) return { messages, turns: lost, confirmation };
  const { id, content, createdAt } = last;
  const turn = { ...fresh(id, content, millis(createdAt) ?? 0), error: "This has no answer yet." };
  return { messages: messages.slice(0, -1), turns: [turn, ...lost], confirmation };
}

function fresh(messageId: string, content: string, at: number): Turn {
  return { messageId, content, at, calls: [], text: "" };
}

/** Says something, or says it again. */
export function begin({ messages, turns }: Thread, messageId: string, content: string, at: number): Thread {
  const others = turns.filter((turn) => turn.messageId !== messageId);
  return { messages, turns: [...others, fresh(messageId, content, at)] };
}

/** Takes one step of a turn. */
export function take(thread: Thread, messageId: string, { step }: SendMessageResponse): Thread {
  if (step.case === "done") {
    const { messages: said, confirmation } = step.value;
    const ids = said.map(({ id }) => id);
    return {
      messages: [...thread.messages.filter(({ id }) => !ids.includes(id)), ...said],
      turns: thread.turns.filter((turn) => turn.messageId !== messageId),
      confirmation,
    };
  }
  return change(thread, messageId, (turn) => advance(turn, step));
}

/** The turn broke off. */
export function fail(thread: Thread, messageId: string, error: string): Thread {
  return change(thread, messageId, (turn) => ({ ...turn, error }));
}

function change(thread: Thread, messageId: string, act: (turn: Turn) => Turn): Thread {
  return { ...thread, turns: thread.turns.map((turn) => (turn.messageId === messageId ? act(turn) : turn)) };
}

function advance(turn: Turn, step: SendMessageResponse["step"]): Turn {
  switch (step.case) {
    case "started":
      return { ...turn, at: millis(step.value.message?.createdAt) ?? turn.at };
    case "toolCall":
      return { ...turn, calls: place(turn.calls, { invocation: step.value, running: true }) };
    case "toolResult":
      return { ...turn, calls: place(turn.calls, { invocation: step.value, running: false }) };
    case "text":
      return { ...turn, text: turn.text + step.value };
    default:
      return turn;
  }
}

function place(calls: Call[], call: Call): Call[] {
  const others = calls.filter(({ invocation }) => invocation.sequence !== call.invocation.sequence);
  return [...others, call].sort((a, b) => a.invocation.sequence - b.invocation.sequence);
}
