import { useSyncExternalStore } from "react";

import type { WatchResponse } from "@/gen/todo/v1/event_service_pb";
import type { View } from "@/queue/change";
import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";

import { newestFirst, Replica } from "./state";

/** How this page hears of changes. */
export type Link = "connecting" | "live" | "offline";

export type Live = {
  /** The first page of tasks is here. */
  ready: boolean;
  /** All of them are. */
  whole: boolean;
  /** They are of an earlier visit, that ended then. */
  asOf?: number;
  tasks: ReadonlyMap<string, Task>;
  notifications: readonly Notification[];
  unread: number;
  link: Link;
  /** Of the tabs of this browser, this one watches. */
  leads: boolean;
  /** The owner's zone. */
  zone: string;
  /** The owner's first day of the week: 1 for Monday to 7 for Sunday. */
  weekStart: number;
};

const nothing: Live = {
  ready: false,
  whole: false,
  tasks: new Map(),
  notifications: [],
  unread: 0,
  link: "connecting",
  leads: false,
  zone: "UTC",
  weekStart: 1,
};

/** Told of each notification that the stream brings, and whether it has just rung. */
type Ear = (notification: Notification, rings: boolean) => void;
/** A change that the server has not confirmed, seen as if it had been made. */
export type Effect = (view: View) => void;

let replica = new Replica();
let effects: Effect[] = [];
let live = nothing;
/** Unread notifications as the server counts them. */
let unread = 0;
/** The stream has said how many: what was listed before is older. */
let counted = false;
let scheduled = false;
const listeners = new Set<() => void>();
const ears = new Set<Ear>();

function publish() {
  scheduled = false;
  const view = replica.view();
  const before = countUnread(view);
  for (const effect of effects) effect(view);
  live = {
    ...live,
    tasks: view.tasks,
    notifications: newestFirst(view.notifications.values()),
    unread: Math.max(0, unread - before + countUnread(view)),
  };
  for (const listener of listeners) listener();
}

function countUnread({ notifications }: View) {
  let count = 0;
  for (const { readAt } of notifications.values()) count += readAt ? 0 : 1;
  return count;
}

/** What is to be seen on top of what the server has said, from the next change on. */
export function setEffects(next: Effect[]) {
  effects = next;
}

/** Changes what is held, and shows it; with `soon` together with what else comes in this moment. */
export function hold(change: (replica: Replica) => void, soon = false) {
  change(replica);
  if (!soon) return publish();
  if (scheduled) return;
  scheduled = true;
  setTimeout(publish);
}

/** Takes how many are unread by a list, unless the stream has said so since. */
export function setUnread(count: number) {
  if (counted) return;
  unread = count;
  publish();
}

/** What has changed and is to be kept for the next visit. */
export function changes() {
  return replica.changes();
}

export function set(change: Partial<Omit<Live, "tasks" | "notifications" | "unread">>) {
  live = { ...live, ...change };
  for (const listener of listeners) listener();
}

/** Takes what the stream of changes says. */
export function hear({ revision, item }: WatchResponse) {
  if (item.case === "counts") {
    counted = true;
    unread = Number(item.value.unreadNotifications);
    return publish();
  }
  hold((replica) => {
    if (item.case === "task") replica.task(item.value);
    if (item.case === "taskRemoved") replica.remove(item.value.id, revision ?? 0n);
    if (item.case !== "notification") return;
    const rings = replica.notification(item.value);
    for (const ear of ears) ear(item.value, rings);
  }, true);
}

/** Tells an ear from now on; the answer ends that. */
export function onNotification(ear: Ear) {
  ears.add(ear);
  return () => ears.delete(ear);
}

/** Forgets everything, for another account or to start over. */
export function forget() {
  replica = new Replica();
  unread = 0;
  counted = false;
  live = { ...nothing, leads: live.leads, zone: live.zone, weekStart: live.weekStart };
  publish();
}

export function current(): Live {
  return live;
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLive(): Live {
  return useSyncExternalStore(
    subscribe,
    () => live,
    () => nothing,
  );
}
