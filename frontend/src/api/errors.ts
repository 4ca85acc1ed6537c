import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";

import { Refused } from "./session";

/** A `google.rpc` detail of an error; the field that matters is always its first. */
function detail({ details }: ConnectError, name: string): BinaryReader | undefined {
  for (const one of details) {
    if (!("type" in one) || one.type !== `google.rpc.${name}`) continue;
    const reader = new BinaryReader(one.value);
    reader.tag();
    return reader;
  }
}

/** How long the server asks to wait, in seconds. */
export function retryAfter(error: ConnectError): number | undefined {
  const info = detail(error, "RetryInfo");
  if (!info) return Number(error.metadata.get("retry-after")) || undefined;
  const { seconds, nanos } = fromBinary(DurationSchema, info.bytes());
  return Math.max(1, Number(seconds) + Math.ceil(nanos / 1e9));
}

/** Why, for software: the reason of `ErrorInfo`. */
export function reason(error: ConnectError): string | undefined {
  return detail(error, "ErrorInfo")?.string();
}

const PASSING = [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted, Code.Canceled, Code.Unauthenticated];

/** Whether the same request may well succeed later: nothing was said of the request itself. */
export function passes({ code, cause }: ConnectError): boolean {
  // What fetch throws when nothing answers is a TypeError; what the refresh of a token says is its own.
  return PASSING.includes(code) || cause instanceof TypeError || (cause instanceof Refused && cause.passing);
}
