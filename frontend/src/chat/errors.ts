import { Code, ConnectError } from "@connectrpc/connect";

import { sentence } from "@/api/clients";
import { retryAfter } from "@/api/errors";

/** Why a message has no answer, as a sentence for people. */
export function why(error: unknown): string {
  const failure = ConnectError.from(error);
  if (failure.code === Code.Aborted) return "The message before this one is still being answered.";
  if (failure.code === Code.ResourceExhausted) return `That was a lot at once. Try again ${when(failure)}.`;
  if (failure.code === Code.Unavailable || failure.code === Code.Unknown)
    return navigator.onLine ? "The server cannot be reached." : "You are offline.";
  return sentence(error);
}

function when(failure: ConnectError): string {
  const seconds = retryAfter(failure);
  return seconds === undefined ? "in a moment" : `in ${seconds} second${seconds === 1 ? "" : "s"}`;
}
