import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { AuthService } from "@/gen/todo/v1/auth_service_pb";
import { EventService } from "@/gen/todo/v1/event_service_pb";
import { NotificationService } from "@/gen/todo/v1/notification_service_pb";
import { TaskService } from "@/gen/todo/v1/task_service_pb";

import { renew, token } from "./session";

/** Sends the access token, and once more with a new one if it was refused. */
const authorize: Interceptor = (next) => async (request) => {
  const bearer = await token();
  request.header.set("authorization", `Bearer ${bearer}`);
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unauthenticated || request.stream) throw error;
    await renew(bearer);
    request.header.set("authorization", `Bearer ${await token()}`);
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
