import { Code, ConnectError, createClient, createContextValues, type Transport } from "@connectrpc/connect";

import { AuthService } from "@/gen/todo/v1/auth_service_pb";
import { EventService } from "@/gen/todo/v1/event_service_pb";
import { NotificationService } from "@/gen/todo/v1/notification_service_pb";
import { TaskService } from "@/gen/todo/v1/task_service_pb";

import { owner } from "./owner";

/** For a call that is one account's, and is not made for another that has signed in since. */
export const onlyFor = (id: string) => createContextValues().set(owner, id);

/** Loaded beside the page and not before it: nothing is asked before the session is renewed. */
const load = () => import("./transport").then(({ transport }) => transport);
if (typeof window !== "undefined") void load().catch(() => undefined);

export const transport: Transport = {
  unary: async (...call) => (await load()).unary(...call),
  stream: async (...call) => (await load()).stream(...call),
};

export const accounts = createClient(AuthService, transport);
export const events = createClient(EventService, transport);
export const notifications = createClient(NotificationService, transport);
export const tasks = createClient(TaskService, transport);

/** What went wrong, as a sentence for people. */
export function sentence(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  if (code === Code.Unavailable || code === Code.Unknown) return "The server cannot be reached.";
  const text = rawMessage.charAt(0).toUpperCase() + rawMessage.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
