import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type CallOptions } from "@connectrpc/connect";

import { notifications, onlyFor, sentence, tasks } from "@/api/clients";
import { passes, reason, retryAfter } from "@/api/errors";
import { BatchAction } from "@/gen/todo/v1/task_service_pb";
import { Status, TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import { current } from "@/live/store";
import { corrected } from "@/quick-add/correct";
import { draftOf } from "@/quick-add/reading";
import { stamp } from "@/tasks/task";

import { paths, type Change, type Item } from "./change";
import type { Answer, Outcome, Verdict } from "./queue";

/** How long the server may take to answer, in milliseconds. */
const LONGEST = 15_000;
/** As many as BatchChange takes. */
export const MOST = 500;

type Of<K extends Change["kind"]> = Extract<Change, { kind: K }>;

const kept = (task: Task): Answer => ({ tasks: [task], revisions: [task.revision] });

/**
 * Sends a change, for nobody but its owner. The item's id is the idempotency key: sent again, because the answer was
 * lost, it is not done again.
 */
export async function send(item: Item, owner: string): Promise<Outcome> {
  const { change } = item;
  const ask: CallOptions = { timeoutMs: LONGEST, contextValues: onlyFor(owner) };
  const write: CallOptions = { ...ask, headers: { "idempotency-key": item.id } };
  switch (change.kind) {
    case "create":
      return kept(await tasks.createTask({ task: change.task }, write));
    case "line":
      return { instead: [await read(change, item.at, ask)] };
    case "update": {
      const mask = Object.keys(change.patch).flatMap((key) => paths[key as keyof typeof paths] ?? []);
      const task = { ...create(TaskSchema), ...change.patch, id: change.id };
      const before = current().tasks.get(change.id)?.revision;
      const now = await tasks.updateTask({ task, updateMask: { paths: mask } }, write);
      // What was so already is no change, and has none to undo.
      return now.revision === before ? { tasks: [now] } : kept(now);
    }
    case "complete":
      return kept(await tasks.completeTask({ id: change.id }, write));
    case "delete":
      return remove(change, write);
    case "batch":
      return batch(change, ask, write);
    case "undo":
      return undo(change, item.id, ask);
    case "read":
      await notifications.markRead({ id: change.id }, write);
      return {};
    case "readAll":
      await notifications.markAllRead({}, write);
      return {};
    case "snooze":
      return { notification: await notifications.snooze({ id: change.id, until: stamp(change.until) }, write) };
  }
}

/** Has the line read, as of when and where it was typed. */
async function read(
  { id, line, zone, given, corrections = {} }: Of<"line">,
  at: number,
  ask: CallOptions,
): Promise<Change> {
  const answer = await tasks.parseTask({ text: line, referenceTime: stamp(at), timeZone: zone }, ask);
  if (!answer.title) throw new ConnectError("give it a title", Code.InvalidArgument);
  const draft = draftOf(corrected(answer, corrections), given);
  return {
    kind: "create",
    task: create(TaskSchema, { ...draft, id, status: Status.PENDING, createdAt: stamp(at) }),
    line,
  };
}

async function remove({ id }: Of<"delete">, write: CallOptions): Promise<Answer> {
  let revision = 0n;
  const onHeader = (headers: Headers) => {
    revision = BigInt(headers.get("x-revision") ?? 0);
  };
  try {
    await tasks.deleteTask({ id }, { ...write, onHeader });
    return { removed: [{ id, revision }], revisions: [revision] };
  } catch (error) {
    // Somebody else was first.
    if (ConnectError.from(error).code === Code.NotFound) return {};
    throw error;
  }
}

/** Does it to all, or if one of them has changed meanwhile to each by itself. */
async function batch({ tasks: each, action }: Of<"batch">, ask: CallOptions, write: CallOptions): Promise<Outcome> {
  const deletes = action === BatchAction.DELETE;
  const ids = each.map(({ id }) => id);
  try {
    const { confirmToken } = await tasks.batchChange({ ids, action }, ask);
    const { tasks: changed, revisions } = await tasks.batchChange({ ids, action, confirmToken }, write);
    const revision = revisions.at(-1) ?? 0n;
    return deletes
      ? { removed: changed.map(({ id }) => ({ id, revision })), revisions }
      : { tasks: changed, revisions };
  } catch (error) {
    const failure = ConnectError.from(error);
    // The key is known, with another token: it was done, and the answer lost.
    if (reason(failure) === "IDEMPOTENCY_CONFLICT") return {};
    if (failure.code !== Code.NotFound && failure.code !== Code.Aborted) throw error;
    return { instead: each.map((one) => ({ kind: deletes ? "delete" : "complete", ...one }) as const) };
  }
}

/** Undoes what became of an item, the last change first. */
async function undo({ revisions, by }: Of<"undo">, key: string, ask: CallOptions): Promise<Answer> {
  const answer = { tasks: [] as Task[], removed: [] as { id: string; revision: bigint }[] };
  for (const revision of revisions.toReversed()) {
    const headers = { "idempotency-key": `${key}.${revision}` };
    const undone = await tasks.undoChange({ revision }, { ...ask, headers });
    if (undone.task) answer.tasks.push(undone.task);
    else
      for (const one of by) if (one.kind === "delete") answer.removed.push({ id: one.id, revision: undone.revision });
  }
  return answer;
}

/** Whether to send again after an error, and when. */
export function judge(error: unknown): Verdict {
  const failure = ConnectError.from(error);
  if (!passes(failure)) return { again: false, why: why(failure) };
  const seconds =
    failure.code === Code.ResourceExhausted || failure.code === Code.Unavailable ? retryAfter(failure) : 0;
  return { again: true, after: seconds ? seconds * 1000 : undefined };
}

function why(failure: ConnectError): string {
  if (reason(failure) === "TASK_NOT_FOUND") return "The task is not there any more.";
  if (failure.code === Code.Unknown) return "The server failed.";
  return sentence(failure);
}
