import { Code, ConnectError } from "@connectrpc/connect";

import { accounts, events, notifications, tasks } from "@/api/clients";
import { renew, token } from "@/api/session";
import { Channel, exclusive } from "@/api/tabs";
import { WatchResponseSchema, type WatchResponse } from "@/gen/todo/v1/event_service_pb";
import { SortBy, SortOrder } from "@/gen/todo/v1/task_service_pb";
import { Status } from "@/gen/todo/v1/task_pb";
import { fromBinary, toBinary } from "@bufbuild/protobuf";

import { keep, keepOnly, recall } from "@/queue/db";
import { hurry } from "@/queue/outbox";

import { changes, current, forget, hear, hold, set, setUnread, type Link } from "./store";

/** What the tab with the stream tells the others. */
type News = { heard: Uint8Array } | { link: Link } | { resync: true } | { ask: true };

const OPEN = [Status.PENDING, Status.IN_PROGRESS];
const DONE = [Status.COMPLETED];
const FIRST_PAGE = 200;
const PAGE = 1000;
const SLOWEST = 8_000;
/** How long a page of tasks may take, in milliseconds. */
const LONGEST = 15_000;
/** How long the tasks of an earlier visit wait for newer ones. */
const PATIENCE = 2_500;
/** How often what has changed is kept for the next visit. */
const KEEPS = 1_000;

/**
 * Keeps the store as the server has it until the signal. Each tab lists for itself; one tab of the browser (who holds
 * the lock) watches, and tells the others, because a browser opens six connections to a server at most.
 */
export function follow(userId: string, signal: AbortSignal) {
  const channel = new Channel<News>(`todo.watch.${userId}`);
  let since = 0n;
  let round = new AbortController();
  let keeping: ReturnType<typeof setTimeout> | undefined;

  const link = (next: Link) => {
    // Trying again is not yet news for one who is offline.
    if (current().link === next || (current().link === "offline" && next === "connecting")) return;
    set({ link: next });
    if (next === "live") hurry();
    if (next === "offline") void fallBack();
  };
  const share = (next: Link) => {
    link(next);
    if (current().leads) channel.post({ link: current().link });
  };
  /** Shows the tasks of an earlier visit until there are newer ones. */
  const fallBack = async () => {
    const kept = current().ready ? undefined : await recall(userId).catch(() => undefined);
    if (!kept || current().ready || signal.aborted) return;
    hold((replica) => {
      kept.notifications.forEach((one) => replica.notification(one));
      kept.tasks.forEach((task) => replica.keep(task));
    });
    setUnread(kept.unread);
    set({ ready: true, asOf: kept.asOf, zone: kept.zone, weekStart: kept.weekStart });
  };
  /** Keeps what has changed for a start without the server. */
  const keepSoon = () => {
    if (!current().leads) return;
    keeping ??= setTimeout(() => {
      keeping = undefined;
      if (signal.aborted || current().asOf) return;
      const { changed, gone } = changes();
      const { zone, weekStart, unread, notifications } = current();
      const about = { asOf: Date.now(), zone, weekStart, unread };
      void keep(userId, changed, gone, about, [...notifications]).catch(() => undefined);
    }, KEEPS);
  };
  const take = (response: WatchResponse) => {
    if (response.revision && response.revision > since) since = response.revision;
    hear(response);
    keepSoon();
  };
  const load = async () => {
    const { revision, next } = await list(round.signal);
    since = revision;
    const whole = async () => {
      await rest(next, round.signal, keepSoon);
      await keepOnly(userId, new Set(current().tasks.keys())).catch(() => undefined);
    };
    void persist(whole, round.signal, share);
  };
  const resync = async () => {
    round.abort();
    round = new AbortController();
    forget();
    await load();
  };
  const stop = channel.listen((news) => {
    if ("heard" in news) take(fromBinary(WatchResponseSchema, news.heard));
    else if ("link" in news) link(news.link);
    else if ("resync" in news) void persist(resync, signal, share);
    else if (current().leads) channel.post({ link: current().link });
  });
  const patience = setTimeout(() => void fallBack(), PATIENCE);
  signal.addEventListener("abort", () => {
    stop();
    round.abort();
    clearTimeout(patience);
    clearTimeout(keeping);
    set({ leads: false });
  });

  const watch = async () => {
    share("connecting");
    const bearer = await token();
    const opened = new AbortController();
    const reopen = () => opened.abort();
    window.addEventListener("online", reopen);
    window.addEventListener("offline", reopen);
    signal.addEventListener("abort", reopen);
    try {
      for await (const response of events.watch({ since }, { signal: opened.signal })) {
        share("live");
        take(response);
        channel.post({ heard: toBinary(WatchResponseSchema, response) });
      }
    } catch (error) {
      const { code } = ConnectError.from(error);
      if (code === Code.Unauthenticated) return renew(bearer);
      if (code !== Code.OutOfRange) throw error;
      channel.post({ resync: true });
      await resync();
    } finally {
      window.removeEventListener("online", reopen);
      window.removeEventListener("offline", reopen);
      signal.removeEventListener("abort", reopen);
    }
  };

  void (async () => {
    await persist(load, signal, share);
    channel.post({ ask: true });
    const lead = async () => {
      set({ leads: true });
      keepSoon();
      while (!signal.aborted) await persist(watch, signal, share);
    };
    await exclusive(`todo.watch.${userId}`, lead, signal).catch(() => undefined);
  })();
}

/** Does it again, less and less often, until it is done. */
async function persist(act: () => Promise<void>, signal: AbortSignal, share: (link: Link) => void) {
  for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, SLOWEST)) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted) return;
      const cancelled = ConnectError.from(error).code === Code.Canceled;
      if (cancelled && navigator.onLine) continue;
      share("offline");
      await pause(wait * (0.75 + Math.random() / 2), signal);
    }
  }
}

/** Waits, or until the browser is on the net again. */
function pause(length: number, signal: AbortSignal) {
  return new Promise<void>((done) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      done();
    };
    const timer = setTimeout(end, length);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end, { once: true });
  });
}

const SOONEST = { sortBy: SortBy.DUE_DATE, sortOrder: SortOrder.ASC, skipTotal: true };
const NEWEST = { sortBy: SortBy.UPDATED_AT, skipTotal: true };

/** Lists what is due first, and answers the revision to watch from and where the rest begins. */
async function list(signal: AbortSignal) {
  const options = { signal, timeoutMs: LONGEST };
  const [user, inbox, first] = await Promise.all([
    accounts.getMe({}, options),
    notifications.listNotifications({}, options),
    tasks.listTasks({ status: OPEN, limit: FIRST_PAGE, ...SOONEST }, options),
  ]);
  hold((replica) => {
    inbox.notifications.forEach((one) => replica.notification(one));
    first.tasks.forEach((task) => replica.task(task));
  });
  setUnread(Number(inbox.unreadCount));
  set({ ready: true, asOf: undefined, zone: user.timeZone, weekStart: user.weekStart || 1 });
  return { revision: first.revision, next: first.nextPageToken };
}

async function rest(next: string | undefined, signal: AbortSignal, heard: () => void) {
  await pages(OPEN, SOONEST, next, signal, heard);
  const options = { signal, timeoutMs: LONGEST };
  const { tasks: page, nextPageToken } = await tasks.listTasks({ status: DONE, limit: PAGE, ...NEWEST }, options);
  hold((replica) => page.forEach((task) => replica.task(task)));
  await pages(DONE, NEWEST, nextPageToken, signal, heard);
  hold((replica) => replica.settle());
  set({ whole: true });
  heard();
}

async function pages(
  status: Status[],
  order: typeof SOONEST | typeof NEWEST,
  from: string | undefined,
  signal: AbortSignal,
  heard: () => void,
) {
  for (let pageToken = from; pageToken;) {
    const page = await tasks.listTasks({ status, limit: PAGE, pageToken, ...order }, { signal, timeoutMs: LONGEST });
    hold((replica) => page.tasks.forEach((task) => replica.task(task)));
    heard();
    pageToken = page.nextPageToken;
  }
}
