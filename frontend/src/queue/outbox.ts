import { useSyncExternalStore } from "react";

import { Channel, exclusive } from "@/api/tabs";
import { current, hold, setEffects } from "@/live/store";
import { newId } from "@/tasks/task";
import { toast } from "@/ui/toast";

import { apply, inverse, type Change, type Item } from "./change";
import { store } from "./db";
import { Queue, type News } from "./queue";
import { judge, send } from "./send";

/** What of the queue is shown to people. */
export type Outbox = {
  /** Tasks of lines that nobody has read yet. */
  unread: ReadonlySet<string>;
  /** How many changes the server has not heard of. */
  waiting: number;
  refused: readonly Item[];
  /** What waits for one that was refused. */
  blocked: readonly Item[];
  /** The server could not be asked when it was last tried. */
  away: boolean;
};

const empty: Outbox = { unread: new Set(), waiting: 0, refused: [], blocked: [], away: false };
let queue: Queue | undefined;
let outbox = empty;
const listeners = new Set<() => void>();

function publish(next: Outbox) {
  outbox = next;
  for (const listener of listeners) listener();
}

/** Shows and sends what an account does, until the signal. */
export function openQueue(account: string, signal: AbortSignal) {
  const channel = new Channel<News>(`todo.queue.${account}`);
  const opened = new Queue({
    store: store(account),
    post: (news) => channel.post(news),
    send: (item) => send(item, account),
    judge,
    onNews: (news, mine) => {
      if (!signal.aborted) show(opened, news, mine);
    },
  });
  queue = opened;
  const stop = channel.listen((news) => opened.hear(news));
  const hurry = () => opened.hurry();
  window.addEventListener("online", hurry);
  signal.addEventListener("abort", () => {
    stop();
    window.removeEventListener("online", hurry);
    if (queue === opened) queue = undefined;
    setEffects([]);
    publish(empty);
  });
  void opened.load();
  exclusive(`todo.queue.${account}`, () => opened.serve(signal), signal).catch(() => undefined);
}

function show(from: Queue, { answer, put = [] }: News, mine: boolean) {
  const shown = from.shown();
  const items = from.items();
  setEffects(
    shown.map(
      ({ change, at }) =>
        (view) =>
          apply(change, at, view),
    ),
  );
  hold((replica) => {
    answer?.tasks?.forEach((task) => replica.task(task));
    answer?.removed?.forEach(({ id, revision }) => replica.remove(id, revision));
    if (answer?.notification) replica.notification(answer.notification);
  }, answer !== undefined);
  publish({
    unread: new Set(shown.flatMap(({ change }) => (change.kind === "line" ? change.id : []))),
    waiting: shown.length,
    refused: items.filter(({ refused }) => refused),
    blocked: items.filter((item) => !item.refused && !shown.includes(item)),
    away: from.away,
  });
  if (mine) for (const { refused } of put) if (refused) toast(refused, { kind: "error" });
}

/** Does something: it is seen at once, survives, and is sent when the server can be reached. The answer names it. */
export function push(change: Change): string {
  if (!queue) throw new Error("nobody is signed in");
  const id = newId(queue.items().at(-1)?.id);
  queue.add({ id, at: Date.now(), change });
  return id;
}

/** What takes a change back in what is shown now; to be asked before it is made. */
export const undoing = (change: Change) => inverse(change, current().tasks);

/** Undoes an item, whether it has been sent or not. */
export function pushUndo(of: string, by: Change[]) {
  const item = queue?.items().find(({ id }) => id === of);
  if (queue && item?.refused) queue.discard(item);
  else push({ kind: "undo", of, revisions: queue?.revisions(of) ?? [], by });
}

export const retry = (item: Item) => queue?.retry(item);
export const discard = (item: Item) => queue?.discard(item);
/** Gives all up that is now in the queue, also once nobody is signed in any more. */
export function discardingAll() {
  const held = queue;
  return async () => held?.clear();
}
export const hurry = () => queue?.hurry();

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useOutbox(): Outbox {
  return useSyncExternalStore(
    subscribe,
    () => outbox,
    () => empty,
  );
}
