import { expect, test } from "vitest";

import { intentName, outcomeName, outcomeTone, policy, reading, took } from "./words";

test("what is not known is shown as it comes, readably", () => {
  expect(intentName("CREATE_TASK")).toBe("Add a task");
  expect(intentName("SHARE_TASK")).toBe("Share task");
  expect(outcomeName("ERROR:OUT_OF_MEMORY")).toBe("Error: out of memory");
  expect(policy("WAIT")).toEqual({ did: "Wait", because: "" });
});

test("only success is green, and only errors are red", () => {
  const tones = ["SUCCESS:RESPONSE_GIVEN", "ERROR:USER_INPUT", "REFUSAL:OUT_OF_SCOPE", "AMBIGUITY:UNCLEAR_INTENT"];
  expect(tones.map(outcomeTone)).toEqual(["success", "danger", "warning", "warning"]);
});

test("the engine is known by what it keeps", () => {
  const of = (extractedParams: Record<string, string[]>) => reading({ extractedParams });
  expect(of({ requests: ["create milk"] })).toEqual({ engine: "the built-in grammar", read: ["create milk"] });
  expect(of({ tools: ["add_task"] }).engine).toBe("the language model");
  expect(of({ pending: ["delete_task"] }).engine).toBe("the question before it");
  expect(of({}).engine).toBeUndefined();
});

test("lengths of time are short to read", () => {
  expect([0, 3.25, 12.6, 999, 1_234].map(took)).toEqual(["0 ms", "3.3 ms", "13 ms", "999 ms", "1.2 s"]);
});
