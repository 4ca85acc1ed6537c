import type { DecisionRecord } from "@/gen/todo/v1/observability_service_pb";

/** What decisions say in capitals, in words. What is not known here is shown as it comes. */

const intents: Record<string, string> = {
  CREATE_TASK: "Add a task",
  LIST_TASKS: "Look for tasks",
  COMPLETE_TASK: "Complete a task",
  UPDATE_TASK: "Change a task",
  DELETE_TASK: "Delete a task",
  GENERAL_CHAT: "Small talk",
  AMBIGUOUS: "Unclear",
  MULTI_INTENT: "Several requests",
  CONFIRM_YES: "A yes",
  CONFIRM_NO: "A no",
};

const policies: Record<string, [did: string, because: string]> = {
  INVOKE_TOOL: ["It went ahead", "Adding, finding, changing and completing need no question."],
  RESPOND_ONLY: ["It only answered", "There was nothing to do in your tasks."],
  ASK_CLARIFICATION: ["It asked what you mean", "It asks rather than guess."],
  REQUEST_CONFIRMATION: ["It asked for your yes", "Deleting, and changing many tasks at once, is always asked first."],
  EXECUTE_PENDING: ["It did what had waited for your yes", "You were asked in the turn before, and said yes."],
  CANCEL_PENDING: ["It dropped what had waited", "Without a yes nothing is done."],
};

export type Tone = "success" | "danger" | "warning";

const outcomes: Record<string, string> = {
  "SUCCESS:TASK_COMPLETED": "Done",
  "SUCCESS:RESPONSE_GIVEN": "Answered",
  "SUCCESS:CLARIFICATION_ANSWERED": "Settled",
  "ERROR:USER_INPUT": "Not possible",
  "ERROR:INTENT_CLASSIFICATION": "Not understood",
  "ERROR:TOOL_INVOCATION": "A tool failed",
  "ERROR:RESPONSE_GENERATION": "No answer",
  "REFUSAL:OUT_OF_SCOPE": "Not about tasks",
  "REFUSAL:MISSING_PERMISSION": "Not permitted",
  "REFUSAL:RATE_LIMITED": "Too often",
  "AMBIGUITY:UNCLEAR_INTENT": "Unclear",
  "AMBIGUITY:MULTIPLE_MATCHES": "Several fit",
  "AMBIGUITY:MISSING_CONTEXT": "Nothing fits",
};

/** "SOME_NAME" as "Some name". */
function plain(name: string): string {
  const text = name.replaceAll("_", " ").replace(":", ": ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const intentName = (intent: string) => intents[intent] ?? plain(intent);

export const outcomeName = (outcome: string) => outcomes[outcome] ?? plain(outcome);

export function outcomeTone(outcome: string): Tone {
  return outcome.startsWith("SUCCESS") ? "success" : outcome.startsWith("ERROR") ? "danger" : "warning";
}

/** What was decided, and the rule behind it. */
export function policy(decision: string): { did: string; because: string } {
  const [did, because] = policies[decision] ?? [plain(decision), ""];
  return { did, because };
}

/** Who read a message, and what was read out of it: each engine keeps that under a name of its own. */
export function reading({ extractedParams = {} }: Pick<DecisionRecord, "extractedParams">) {
  const { requests, tools, pending } = extractedParams;
  if (Array.isArray(requests)) return { engine: "the built-in grammar", read: requests.map(String) };
  if (Array.isArray(tools)) return { engine: "the language model", read: [] };
  if (Array.isArray(pending)) return { engine: "the question before it", read: [] };
  return { engine: undefined, read: [] };
}

/** "95%". */
export const percent = (share: number) =>
  share.toLocaleString(undefined, { style: "percent", maximumFractionDigits: 0 });

/** A length of time in milliseconds: "8 ms", "1.2 s". */
export function took(milliseconds: number): string {
  if (milliseconds >= 1_000)
    return `${(milliseconds / 1_000).toLocaleString(undefined, { maximumFractionDigits: 1 })} s`;
  return `${milliseconds < 10 && milliseconds % 1 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
