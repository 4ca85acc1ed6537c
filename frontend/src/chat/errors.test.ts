import { toBinary, create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";

import { why } from "./errors";

test("when to come again is said", () => {
  const limited = new ConnectError("too many", Code.ResourceExhausted);
  expect(why(limited)).toBe("That was a lot at once. Try again in a moment.");
  const delay = toBinary(DurationSchema, create(DurationSchema, { seconds: 11n, nanos: 1 }));
  limited.details = [{ type: "google.rpc.RetryInfo", value: new Uint8Array([0x0a, delay.length, ...delay]) }];
  expect(why(limited)).toBe("That was a lot at once. Try again in 12 seconds.");
});

test("a conversation that is being answered is told from other trouble", () => {
  expect(why(new ConnectError("busy", Code.Aborted))).toMatch(/still being answered/);
  expect(why(new ConnectError("content is too long", Code.InvalidArgument))).toBe("Content is too long.");
});
