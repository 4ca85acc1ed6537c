import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { WatchResponseSchema } from "@/gen/todo/v1/event_service_pb";

import { current, forget, hear, setUnread } from "./store";

const counts = (unreadNotifications: bigint) =>
  create(WatchResponseSchema, { item: { case: "counts", value: { unreadNotifications } } });

test("a count that is heard holds against a list that began before it", () => {
  hear(counts(3n));
  setUnread(2);
  expect(current().unread).toBe(3);
  hear(counts(1n));
  expect(current().unread).toBe(1);
});

test("after starting over the list counts again", () => {
  hear(counts(3n));
  forget();
  setUnread(2);
  expect(current().unread).toBe(2);
});
