import { create, type MessageInitShape } from "@bufbuild/protobuf";

import { BatchAction } from "@/gen/todo/v1/task_service_pb";
import { Status, TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import { current } from "@/live/store";
import type { Change, Given, Patch } from "@/queue/change";
import { push, pushUndo, undoing } from "@/queue/outbox";
import { MOST } from "@/queue/send";
import { toast } from "@/ui/toast";

import { isDone, newId, stamp } from "./task";

export type { Patch };

/** An item of the queue, and what takes it back in what is shown. */
type Done = { item: string; by: Change[] };

/** What was done in this tab and not undone, the newest last. */
const history: Done[][] = [];

/** Does it; `said` offers to undo it. */
function act(changes: Change[], said?: string) {
  const done = changes.map((change) => {
    const by = undoing(change);
    return { item: push(change), by };
  });
  history.push(done);
  if (said) toast(said, { action: { label: "Undo", run: () => undo(done) } });
}

/** Undoes changes, the last one first. */
function undo(done: Done[]) {
  const known = history.indexOf(done);
  if (known >= 0) history.splice(known, 1);
  for (const { item, by } of done.toReversed()) pushUndo(item, by);
  toast(done.length > 1 ? `Undone: ${done.length} changes` : "Undone");
}

/** Undoes what was done last in this tab. */
export function undoLast() {
  const last = history.at(-1);
  if (last) undo(last);
  else toast("Nothing to undo");
}

export const quoted = ({ title }: Task) => `“${title.length > 40 ? `${title.slice(0, 39)}…` : title}”`;

/** What is known of a task that is yet to be. */
export type Draft = Omit<MessageInitShape<typeof TaskSchema>, "$typeName" | "$unknown">;

/** Adds a task; `line` is what was typed. */
export function add(draft: Draft, line?: string) {
  const known = { id: newId(), status: Status.PENDING, createdAt: stamp(Date.now()) };
  act([{ kind: "create", task: create(TaskSchema, { ...draft, ...known }), line }]);
}

/** Adds a task by a line that has not been read yet; what was chosen by hand stands whatever it says. */
export function addLine(line: string, given: Given, corrections: Partial<Patch>) {
  act([{ kind: "line", id: newId(), line, zone: current().zone, given, corrections }]);
}

/** Changes fields of a task. */
export function update({ id, title }: Task, patch: Patch, said?: string) {
  act([{ kind: "update", id, title, patch }], said);
}

/** Changes several tasks, each as it needs, which is undone as one. */
export function updateAll(changes: { task: Task; patch: Patch }[], said: string) {
  const updates = changes.map(({ task: { id, title }, patch }) => ({ kind: "update", id, title, patch }) as const);
  act(updates, said);
}

/** Completes a task, or opens a completed one again. */
export function toggle(task: Task) {
  if (isDone(task)) return update(task, { status: Status.PENDING }, `Reopened ${quoted(task)}`);
  act([{ kind: "complete", id: task.id, title: task.title }], `Completed ${quoted(task)}`);
}

export function remove(task: Task) {
  act([{ kind: "delete", id: task.id, title: task.title }], `Deleted ${quoted(task)}`);
}

/** Does the same to many. */
export function batch(chosen: Task[], action: BatchAction.COMPLETE | BatchAction.DELETE) {
  const changes: Change[] = [];
  for (let from = 0; from < chosen.length; from += MOST) {
    const tasks = chosen.slice(from, from + MOST).map(({ id, title }) => ({ id, title }));
    changes.push({ kind: "batch", tasks, action });
  }
  act(changes, `${action === BatchAction.DELETE ? "Deleted" : "Completed"} ${chosen.length} tasks`);
}
