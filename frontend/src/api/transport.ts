import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

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
