import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";

import { TaskSchema } from "@/gen/todo/v1/task_pb";
import { newId } from "@/tasks/task";

import { apply, type Change, type Item, type View } from "./change";
import { Queue, type News, type Outcome, type Store } from "./queue";
import { judge } from "./send";

const task = (id: string, title = id) => create(TaskSchema, { id, title });
const make = (id: string): Change => ({ kind: "create", task: task(id) });
const rename = (id: string, title: string): Change => ({ kind: "update", id, title: id, patch: { title } });
const item = (change: Change): Item => ({ id: newId(), at: 0, change });

/** What survives, as IndexedDB has it. */
class Disk implements Store {
  readonly items = new Map<string, Item>();
  all() {
    return Promise.resolve(structuredClone([...this.items.values()]));
  }
  change(put: Item[], gone: string[]) {
    for (const one of put) this.items.set(one.id, structuredClone(one));
    for (const id of gone) this.items.delete(id);
    return Promise.resolve();
  }
}

/** A server that does each key once, and tabs before it that share a disk. */
class World {
  readonly disk = new Disk();
  readonly tabs: Queue[] = [];
  readonly done: string[] = [];
  readonly seen = new Set<string>();
  readonly ended = new AbortController();
  away = false;
  loseAnswers = false;
  refuse: (change: Change) => string | undefined = () => undefined;

  tab() {
    const queue: Queue = new Queue({
      store: this.disk,
      post: (news: News) => this.tabs.filter((tab) => tab !== queue).forEach((tab) => tab.hear(structuredClone(news))),
      send: (one) => this.serve(one),
      judge,
      onNews: () => undefined,
    });
    this.tabs.push(queue);
    return queue;
  }

  async serve({ id, change }: Item): Promise<Outcome> {
    await Promise.resolve();
    if (this.away) throw new ConnectError("away", Code.Unavailable);
    const why = this.refuse(change);
    if (why) throw new ConnectError(why, Code.InvalidArgument);
    if (!this.seen.has(id)) this.done.push(name(change));
    this.seen.add(id);
    if (this.loseAnswers)
      throw new ConnectError("Failed to fetch", Code.Unknown, undefined, undefined, new TypeError());
    return { revisions: [BigInt(this.done.length)] };
  }
}

function name(change: Change): string {
  if (change.kind === "create") return `create ${change.task.id}`;
  if (change.kind === "update") return `${change.id} is ${change.patch.title}`;
  if (change.kind === "undo") return `undo ${change.revisions.join()}`;
  return change.kind;
}

let world = new World();
afterEach(() => {
  world.ended.abort();
  world = new World();
  vi.useRealTimers();
});
const settled = (queue: Queue) => vi.waitFor(() => expect(queue.shown()).toEqual([]));

test("what is done is sent in order, once, and leaves the disk", async () => {
  const queue = world.tab();
  for (const change of [make("a"), rename("a", "b"), make("c")]) queue.add(item(change));
  expect(queue.shown()).toHaveLength(3);
  void queue.serve(world.ended.signal);
  await settled(queue);
  expect(world.done).toEqual(["create a", "a is b", "create c"]);
  expect(world.disk.items.size).toBe(0);
});

test("what was done offline survives the page, and is sent by the next one", async () => {
  world.away = true;
  const queue = world.tab();
  void queue.serve(world.ended.signal);
  queue.add(item(make("a")));
  queue.add(item(rename("a", "b")));
  await vi.waitFor(() => expect(queue.away).toBe(true));
  world.ended.abort();

  world.away = false;
  const next = world.tab();
  await next.load();
  expect(next.shown()).toHaveLength(2);
  void next.serve(new AbortController().signal);
  await settled(next);
  expect(world.done).toEqual(["create a", "a is b"]);
});

test("ids sort in the order of what was done, though the clock goes back and the page is another", () => {
  vi.useFakeTimers({ now: 2_000_000_000_000 });
  const first = newId();
  vi.setSystemTime(1_999_999_000_000);
  const second = newId();
  const third = newId(second);
  expect([third, second, first].sort()).toEqual([first, second, third]);
  expect(first[14]).toBe("7");
  const ahead = "ffff0000-0000-7000-8000-000000000000";
  expect(newId(ahead) > ahead).toBe(true);
});

test("a lost answer makes nothing twice", async () => {
  world.loseAnswers = true;
  const queue = world.tab();
  void queue.serve(world.ended.signal);
  queue.add(item(make("a")));
  await vi.waitFor(() => expect(queue.away).toBe(true));
  expect(queue.shown()).toHaveLength(1);
  world.loseAnswers = false;
  queue.hurry();
  await settled(queue);
  expect(queue.away).toBe(false);
  expect(world.done).toEqual(["create a"]);
});

test("the server says when to come again, and nothing is sent before", async () => {
  vi.useFakeTimers();
  const limited = new ConnectError("slowly", Code.ResourceExhausted, { "retry-after": "7" });
  expect(judge(limited)).toEqual({ again: true, after: 7_000 });
  const send = vi.fn().mockRejectedValueOnce(limited).mockResolvedValue({});
  const queue = new Queue({ store: world.disk, post: () => undefined, send, judge, onNews: () => undefined });
  queue.add(item(make("a")));
  void queue.serve(world.ended.signal);
  await vi.advanceTimersByTimeAsync(6_900);
  queue.hurry();
  await vi.advanceTimersByTimeAsync(50);
  expect(send).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(send).toHaveBeenCalledTimes(2);
  expect(queue.items()).toEqual([]);
});

test("what passes is tried again; what the request got wrong is not", () => {
  for (const code of [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted, Code.Unauthenticated]) {
    expect(judge(new ConnectError("later", code))).toEqual({ again: true, after: undefined });
  }
  expect(judge(new TypeError("Failed to fetch"))).toEqual({ again: true, after: undefined });
  expect(judge(new ConnectError("title is too long", Code.InvalidArgument))).toEqual({
    again: false,
    why: "Title is too long.",
  });
  expect(judge(new ConnectError("oops", Code.Internal))).toMatchObject({ again: false });
});

test("a refused item stays with its reason, others pass it, and what needs it waits", async () => {
  world.refuse = (change) => (name(change) === "create a" ? "no room" : undefined);
  const queue = world.tab();
  const first = item(make("a"));
  for (const one of [first, item(rename("a", "b")), item(make("c"))]) queue.add(one);
  void queue.serve(world.ended.signal);
  await settled(queue);
  expect(world.done).toEqual(["create c"]);
  expect(queue.items().map(({ refused }) => refused)).toEqual(["No room.", undefined]);
  expect([...world.disk.items.values()][0]?.refused).toBe("No room.");

  world.refuse = () => undefined;
  queue.retry(first);
  await settled(queue);
  expect(world.done).toEqual(["create c", "create a", "a is b"]);
  expect(queue.items()).toEqual([]);
});

test("a refused create that is discarded takes along what cannot be without it", async () => {
  world.refuse = (change) => (change.kind === "create" ? "no" : undefined);
  const queue = world.tab();
  const first = item(make("a"));
  for (const one of [first, item(rename("a", "b")), item(rename("z", "y"))]) queue.add(one);
  void queue.serve(world.ended.signal);
  await settled(queue);
  queue.discard(first);
  expect(queue.items()).toEqual([]);
  await vi.waitFor(() => expect(world.disk.items.size).toBe(0));
  expect(world.done).toEqual(["z is y"]);
});

test("tabs show the same, and what one of them does the other sends", async () => {
  const [leader, other] = [world.tab(), world.tab()];
  void leader.serve(world.ended.signal);
  other.add(item(make("a")));
  expect(other.shown()).toHaveLength(1);
  await vi.waitFor(() => expect(world.done).toEqual(["create a"]));
  for (const tab of [leader, other]) await settled(tab);
  expect(world.disk.items.size).toBe(0);
});

test("an undo waits for what it undoes, in whichever tab that was done", async () => {
  world.away = true;
  const [leader, other] = [world.tab(), world.tab()];
  void leader.serve(world.ended.signal);
  const first = item(rename("a", "b"));
  other.add(first);
  other.add(item({ kind: "undo", of: first.id, revisions: [], by: [rename("a", "a")] }));
  const view: View = { tasks: new Map([["a", task("a")]]), notifications: new Map() };
  for (const { change, at } of leader.shown()) apply(change, at, view);
  expect(view.tasks.get("a")?.title).toBe("a");
  await vi.waitFor(() => expect(leader.away).toBe(true));
  world.away = false;
  leader.hurry();
  await settled(leader);
  expect(world.done).toEqual(["a is b", "undo 1"]);
});

test("what was undone is not complained about", async () => {
  world.refuse = () => "no";
  const queue = world.tab();
  const first = item(rename("a", "b"));
  queue.add(first);
  queue.add(item({ kind: "undo", of: first.id, revisions: [], by: [] }));
  void queue.serve(world.ended.signal);
  await vi.waitFor(() => expect(queue.items()).toEqual([]));
  expect(world.done).toEqual([]);
});
