import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";

import { made, needs, type Change, type Item } from "./change";

/** What the server made of a change. */
export type Answer = {
  tasks?: Task[];
  removed?: { id: string; revision: bigint }[];
  notification?: Notification;
  /** By these it can be undone. */
  revisions?: bigint[];
};
/** Done, or to be done by these changes instead. */
export type Outcome = Answer | { instead: Change[] };
/** Why it was not done: to be sent again, after so many milliseconds if said; or refused, as a sentence for people. */
export type Verdict = { again: true; after?: number } | { again: false; why: string };

/** What tabs tell each other: items that are there or changed, items that are gone, and the answer that came. */
export type News = { put?: Item[]; gone?: string[]; of?: string; answer?: Answer; away?: boolean };

/** Where items survive. */
export type Store = { all(): Promise<Item[]>; change(put: Item[], gone: string[]): Promise<void> };

type Options = {
  store: Store;
  post: (news: News) => void;
  send: (item: Item) => Promise<Outcome>;
  judge: (error: unknown) => Verdict;
  /** Hears of every change; `mine` if it began here. */
  onNews: (news: News, mine: boolean) => void;
};

const FIRST = 250;
const SLOWEST = 8_000;

/**
 * What an account has done and the server not yet heard. Every tab holds all of it; one of them, that runs `serve`, sends
 * it item by item in order. What is refused stays, with the reason, until it is tried again or discarded.
 */
export class Queue {
  readonly #options: Options;
  readonly #items = new Map<string, Item>();
  readonly #gone = new Set<string>();
  readonly #revisions = new Map<string, bigint[]>();
  #away = false;
  #wake: (() => void) | undefined;
  #hurry: (() => void) | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** In order. */
  items(): Item[] {
    return [...this.#items.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The server could not be asked when it was last tried. */
  get away(): boolean {
    return this.#away;
  }

  /** What is to be seen as done: all but what is refused, and what waits for that. */
  shown(): Item[] {
    const items = this.items();
    return items.filter((item) => !this.#isBlocked(item, items));
  }

  /** Reads what was there before. */
  async load() {
    const known = await this.#options.store.all();
    this.#take({ put: known.filter(({ id }) => !this.#gone.has(id) && !this.#items.has(id)) }, false);
  }

  /** Takes what another tab says. */
  hear(news: News) {
    this.#take(news, false);
  }

  add(item: Item) {
    void this.#tell({ put: [item] });
  }

  /** Sends a refused item again, in its old place. */
  retry({ id }: Item) {
    const item = this.#items.get(id);
    if (item) void this.#tell({ put: [{ ...item, refused: undefined }] });
  }

  /** Gives an item up, and what cannot be without it. */
  discard(item: Item) {
    const task = made(item.change);
    const gone = new Set([item.id]);
    for (const { id, change } of this.items()) {
      if ((task && needs(change, task)) || (change.kind === "undo" && gone.has(change.of))) gone.add(id);
    }
    void this.#tell({ gone: [...gone] });
  }

  /** Gives everything up. */
  async clear() {
    await this.#tell({ gone: [...this.#items.keys()] });
  }

  /** The revisions by which an item that was done can be undone. */
  revisions(of: string): bigint[] {
    const parts = [...this.#revisions].filter(([id]) => id === of || id.startsWith(`${of}.`));
    return parts.flatMap(([, revisions]) => revisions);
  }

  /** Tries at once what waits because the server was away. */
  hurry() {
    this.#hurry?.();
  }

  /** Sends until the signal. */
  async serve(signal: AbortSignal) {
    signal.addEventListener("abort", () => {
      this.#wake?.();
      this.#hurry?.();
    });
    await this.load();
    for (let wait = FIRST; !signal.aborted;) {
      const item = this.#next();
      if (!item) {
        await new Promise<void>((done) => (this.#wake = done));
        continue;
      }
      try {
        await this.#finish(item, await this.#options.send(item));
        wait = FIRST;
        if (this.#away) await this.#tell({ away: false });
      } catch (error) {
        if (signal.aborted) return;
        const verdict = this.#options.judge(error);
        if (!verdict.again) {
          await this.#refuse(item, verdict.why);
          continue;
        }
        if (!this.#away) await this.#tell({ away: true });
        await this.#pause(verdict.after, wait);
        wait = Math.min(wait * 2, SLOWEST);
      }
    }
  }

  #next() {
    const items = this.items();
    return items.find((item) => !this.#isBlocked(item, items));
  }

  #isBlocked(item: Item, items: Item[]): boolean {
    if (item.refused) return true;
    const { change } = item;
    return items.some((other) => {
      if (change.kind === "undo") return other.id === change.of && this.#isBlocked(other, items);
      const task = other.refused && made(other.change);
      return task && needs(change, task);
    });
  }

  /** Keeps it with the reason, unless it was undone meanwhile. */
  #refuse(item: Item, why: string) {
    const undo = this.items().find(({ change }) => change.kind === "undo" && change.of === item.id);
    const news = undo ? { gone: [item.id, undo.id] } : { put: [{ ...item, refused: why }] };
    return this.#tell({ ...news, away: false });
  }

  /** Waits as the server says, or else until somebody has reason to hope. */
  #pause(after: number | undefined, wait: number) {
    return new Promise<void>((done) => {
      const timer = setTimeout(done, after ?? wait * (0.75 + Math.random() / 2));
      if (after !== undefined) return;
      this.#hurry = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  async #finish(item: Item, outcome: Outcome) {
    if (!("instead" in outcome)) {
      const { revisions = [] } = outcome;
      const put = this.items().flatMap((other) => withRevisions(other, item.id, revisions) ?? []);
      return this.#tell({ put, gone: [item.id], of: item.id, answer: outcome });
    }
    const { instead } = outcome;
    const one = instead.length === 1;
    const put = instead.map((change, index) => ({
      ...item,
      id: one ? item.id : `${item.id}.${String(index).padStart(3, "0")}`,
      change,
    }));
    return this.#tell({ put, gone: one ? [] : [item.id] });
  }

  /** Does it here, keeps it, and tells the others. */
  async #tell(news: News) {
    this.#take(news, true);
    // Without a place to keep it, it is sent all the same.
    if (news.put?.length || news.gone?.length) {
      await this.#options.store.change(news.put ?? [], news.gone ?? []).catch(() => undefined);
    }
    this.#options.post(news);
  }

  #take(news: News, mine: boolean) {
    for (const id of news.gone ?? []) {
      this.#gone.add(id);
      this.#items.delete(id);
    }
    if (news.of && news.answer?.revisions) this.#revisions.set(news.of, news.answer.revisions);
    for (const item of news.put ?? []) {
      const { change } = item;
      const late = change.kind === "undo" && change.revisions.length === 0;
      this.#items.set(item.id, late ? { ...item, change: { ...change, revisions: this.revisions(change.of) } } : item);
    }
    if (news.away !== undefined) this.#away = news.away;
    this.#options.onNews(news, mine);
    this.#wake?.();
  }
}

/** An undo that waited for the revisions of what it undoes. */
function withRevisions(item: Item, done: string, revisions: bigint[]): Item | undefined {
  const { change } = item;
  if (change.kind !== "undo" || (change.of !== done && !done.startsWith(`${change.of}.`))) return;
  return { ...item, change: { ...change, revisions: [...change.revisions, ...revisions] } };
}
