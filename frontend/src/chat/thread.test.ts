import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import {
  GetConversationResponseSchema,
  MessageSchema,
  Role,
  SendMessageResponseSchema,
  type SendMessageResponse,
} from "@/gen/todo/v1/chat_service_pb";

import { begin, empty, fail, isRunning, kept, take } from "./thread";

type Step = MessageInitShape<typeof SendMessageResponseSchema>["step"];

const ME = "me";
const said = create(MessageSchema, { id: ME, role: Role.USER, content: "hi" });
const reply = create(MessageSchema, { id: "reply", role: Role.ASSISTANT, content: "Hello." });
const confirmation = { replies: ["yes", "no"] };
const done: Step = { case: "done", value: { messages: [said, reply], confirmation } };

const step = (step: Step): SendMessageResponse => create(SendMessageResponseSchema, { step });
const call = (sequence: number, success = false) => ({ toolName: "add_task", sequence, success });
const after = (...steps: Step[]) =>
  steps.reduce((thread, one) => take(thread, ME, step(one)), begin(empty, ME, "hi", 0));

test("text comes in pieces, and calls are over one by one", () => {
  const [turn] = after(
    { case: "toolCall", value: call(1) },
    { case: "toolCall", value: call(2) },
    { case: "toolResult", value: call(1, true) },
    { case: "text", value: "Hel" },
    { case: "text", value: "lo." },
  ).turns;
  expect(turn?.text).toBe("Hello.");
  expect(turn?.calls.map(({ running, invocation }) => [invocation.sequence, running])).toEqual([
    [1, false],
    [2, true],
  ]);
});

test("what is kept takes the place of what was on its way", () => {
  const thread = after({ case: "text", value: "Hel" }, done);
  expect(thread.messages.map(({ content }) => content)).toEqual(["hi", "Hello."]);
  expect(thread.turns).toEqual([]);
  expect(thread.confirmation?.replies).toEqual(["yes", "no"]);
});

test("a turn that broke off is told again from its beginning, once", () => {
  const broken = fail(after({ case: "text", value: "Hel" }), ME, "away");
  expect(isRunning(broken)).toBe(false);
  const again = begin(broken, ME, "hi", 1);
  expect(again.turns).toMatchObject([{ messageId: ME, text: "", calls: [] }]);
  expect(isRunning(again)).toBe(true);
  const twice = take(take(again, ME, step(done)), ME, step(done));
  expect(twice.messages.map(({ id }) => id)).toEqual([ME, "reply"]);
});

test("a message that broke off stays when another is said", () => {
  const two = begin(fail(after(), ME, "away"), "other", "more", 1);
  expect(two.turns.map(({ content, error }) => [content, error])).toEqual([
    ["hi", "away"],
    ["more", undefined],
  ]);
});

test("a message kept without an answer can be sent again under its id", () => {
  const thread = kept(create(GetConversationResponseSchema, { messages: [reply, said] }), []);
  expect(thread.messages).toEqual([reply]);
  expect(thread.turns).toMatchObject([{ messageId: ME, content: "hi", error: "This has no answer yet." }]);
});

test("reading again keeps what the server never got, and that only", () => {
  const { turns } = begin(fail(after(), ME, "away"), "lost", "more", 1);
  const thread = kept(create(GetConversationResponseSchema, { messages: [said, reply] }), turns);
  expect(thread.turns.map(({ messageId }) => messageId)).toEqual(["lost"]);
});
