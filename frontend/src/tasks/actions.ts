import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";

import { sentence, tasks } from "@/api/clients";
import { BatchAction } from "@/gen/todo/v1/task_service_pb";
import { Status, TaskSchema, type Task } from "@/gen/todo/v1/task_pb";
import type { Effect } from "@/live/state";
import { current, hold } from "@/live/store";
import { toast } from "@/ui/toast";

import { isDone, newId, stamp } from "./task";

/** Fields as UpdateTask names them, by our names. */
const paths = {
  title: "title",
  description: "description",
  status: "status",
  priority: "priority",
  tags: "tags",
  dueDate: "due_date",
  dueAllDay: "due_all_day",
  reminders: "reminders",
  recurrence: "recurrence",
} as const;
export type Patch = Partial<Pick<Task, keyof typeof paths>>;

let queue: Promise<unknown> = Promise.resolve();
/** The revisions of what was done in this tab and not undone, the newest last. */
const history: bigint[][] = [];

/**
 * Shows a change at once and sends it after those before it. `settle` takes the answer and tells the revisions by which
 * it can be undone, which are the result; without one it was refused, taken back, and said why.
 */
async function change<T>(
  effect: Effect,
  send: () => Promise<T>,
  settle: (answer: T) => bigint[],
): Promise<bigint[] | undefined> {
  hold((replica) => replica.begin(effect));
  const sent = queue.then(send);
  queue = sent.catch(() => undefined);
  try {
    const answer = await sent;
    hold((replica) => replica.end(effect));
    const revisions = settle(answer);
    if (revisions.length > 0) history.push(revisions);
    return revisions;
  } catch (error) {
    hold((replica) => replica.end(effect));
    toast(sentence(error), { kind: "error" });
  }
}

function keep(task: Task) {
  hold((replica) => replica.task(task));
  return [task.revision];
}

export const quoted = ({ title }: Task) => `“${title.length > 40 ? `${title.slice(0, 39)}…` : title}”`;

function offerUndo(text: string, revisions: bigint[]) {
  toast(text, { action: { label: "Undo", run: () => void undo(revisions) } });
}

/** Undoes changes, the last one first. */
async function undo(revisions: bigint[]) {
  const known = history.indexOf(revisions);
  if (known >= 0) history.splice(known, 1);
  for (const revision of revisions.toReversed()) {
    const send = () => tasks.undoChange({ revision });
    const done = await change(
      () => undefined,
      send,
      ({ task }) => {
        if (task) keep(task);
        return [];
      },
    );
    if (!done) return;
  }
  toast(revisions.length > 1 ? `Undone: ${revisions.length} changes` : "Undone");
}

/** Undoes what was done last in this tab, once it is done. */
export async function undoLast() {
  await queue;
  const last = history.at(-1);
  if (last) await undo(last);
  else toast("Nothing to undo");
}

/** What is known of a task that is yet to be. */
export type Draft = Omit<MessageInitShape<typeof TaskSchema>, "$typeName" | "$unknown">;

export async function add(draft: Draft) {
  const task = create(TaskSchema, { ...draft, id: newId(), status: Status.PENDING, createdAt: stamp(Date.now()) });
  return change(
    (view) => view.has(task.id) || view.set(task.id, task),
    () => tasks.createTask({ task }),
    keep,
  );
}

/** Changes fields of a task; `said` offers to undo it. */
export async function update(task: Task, patch: Patch, said?: string) {
  const keys = Object.keys(patch) as (keyof typeof paths)[];
  const request = {
    task: { ...create(TaskSchema), ...patch, id: task.id },
    updateMask: { paths: keys.map((key) => paths[key]) },
  };
  let before: bigint | undefined;
  const send = () => {
    before = current().tasks.get(task.id)?.revision;
    return tasks.updateTask(request);
  };
  const done = await change(
    (view) => {
      const held = view.get(task.id);
      if (held) view.set(task.id, { ...held, ...patch });
    },
    send,
    // What was so already is no change, and has none to undo.
    (answer) => keep(answer).filter((revision) => revision !== before),
  );
  if (done && done.length > 0 && said) offerUndo(said, done);
  return done;
}

/** Changes several tasks, each as it needs, which is undone as one. */
export async function updateAll(changes: { task: Task; patch: Patch }[], said: string) {
  const all = await Promise.all(changes.map(({ task, patch }) => update(task, patch)));
  const done = all.flatMap((revisions) => revisions ?? []);
  if (done.length === 0) return;
  for (const one of all) if (one && history.includes(one)) history.splice(history.indexOf(one), 1);
  history.push(done);
  offerUndo(said, done);
}

/** Completes a task, or opens a completed one again. */
export async function toggle(task: Task) {
  if (isDone(task)) return update(task, { status: Status.PENDING }, `Reopened ${quoted(task)}`);
  const done = await change(
    (view) => {
      const held = view.get(task.id);
      if (held) view.set(task.id, { ...held, status: Status.COMPLETED, completedAt: stamp(Date.now()) });
    },
    () => tasks.completeTask({ id: task.id }),
    keep,
  );
  if (done) offerUndo(`Completed ${quoted(task)}`, done);
}

export async function remove(task: Task) {
  let revision = 0n;
  const options: CallOptions = {
    onHeader: (headers) => {
      revision = BigInt(headers.get("x-revision") ?? 0);
    },
  };
  const done = await change(
    (view) => view.delete(task.id),
    () => tasks.deleteTask({ id: task.id }, options),
    () => {
      hold((replica) => replica.remove(task.id, revision));
      return [revision];
    },
  );
  if (done) offerUndo(`Deleted ${quoted(task)}`, done);
}

/** Does the same to many, or to none of them if one has changed meanwhile. */
export async function batch(chosen: Task[], action: BatchAction.COMPLETE | BatchAction.DELETE) {
  const ids = chosen.map(({ id }) => id);
  const deletes = action === BatchAction.DELETE;
  const effect: Effect = (view) => {
    for (const id of ids) {
      const held = view.get(id);
      if (deletes) view.delete(id);
      else if (held) view.set(id, { ...held, status: Status.COMPLETED });
    }
  };
  const send = async () => {
    const { confirmToken } = await tasks.batchChange({ ids, action });
    return tasks.batchChange({ ids, action, confirmToken });
  };
  const done = await change(effect, send, ({ tasks: changed, revisions }) => {
    const last = revisions.at(-1) ?? 0n;
    hold((replica) => changed.forEach((task) => (deletes ? replica.remove(task.id, last) : replica.task(task))));
    return revisions;
  });
  if (done) offerUndo(`${deletes ? "Deleted" : "Completed"} ${ids.length} tasks`, done);
}
