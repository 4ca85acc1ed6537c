import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import { owner } from "./owner";
import { renew, token, userId } from "./session";

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

/** Begins a trace with each call, so that an operator finds what came of a click (https://www.w3.org/TR/trace-context/). */
const trace: Interceptor = (next) => (request) => {
  const hex = (bytes: number) =>
    Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  request.header.set("traceparent", `00-${hex(16)}-${hex(8)}-01`);
  return next(request);
};

export const transport = createGrpcWebTransport({ baseUrl: "/", interceptors: [trace, authorize] });
