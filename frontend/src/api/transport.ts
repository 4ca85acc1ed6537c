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

export const transport = createGrpcWebTransport({ baseUrl: "/", interceptors: [authorize] });
