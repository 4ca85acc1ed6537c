import {
  Code,
  ConnectError,
  createClient,
  createContextKey,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { AuthService } from "@/gen/todo/v1/auth_service_pb";
import { EventService } from "@/gen/todo/v1/event_service_pb";
import { NotificationService } from "@/gen/todo/v1/notification_service_pb";
import { TaskService } from "@/gen/todo/v1/task_service_pb";

import { renew, token, userId } from "./session";

const owner = createContextKey<string | undefined>(undefined);

/** For a call that is one account's, and is not made for another that has signed in since. */
export const onlyFor = (id: string) => createContextValues().set(owner, id);

/** Sends the access token, and once more with a new one if it was refused. */
const authorize: Interceptor = (next) => async (request) => {
  const mine = async () => {
    const bearer = await token();
    const id = request.contextValues.get(owner);
    if (id && id !== userId()) throw new ConnectError("another account has signed in", Code.Canceled);
    return bearer;
  };
  const bearer = await mine();
  request.header.set("authorization", `Bearer ${bearer}`);
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unauthenticated || request.stream) throw error;
    await renew(bearer);
    request.header.set("authorization", `Bearer ${await mine()}`);
    return next(request);
  }
};

export const transport = createGrpcWebTransport({ baseUrl: "/", interceptors: [authorize] });

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
