import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { openDB, type DBSchema, type IDBPDatabase } from "idb";

import { NotificationSchema, type Notification } from "@/gen/todo/v1/notification_service_pb";
import { TaskSchema, type Task } from "@/gen/todo/v1/task_pb";

import type { Item } from "./change";
import type { Store } from "./queue";

/** What is known of the kept tasks: when they were so, in which zone and weeks they are read, and the server's count of unread. */
export type About = { asOf: number; zone: string; weekStart: number; unread: number };
export type Kept = About & { tasks: Task[]; notifications: Notification[] };

interface Schema extends DBSchema {
  queue: { key: string; value: Item };
  tasks: { key: string; value: Uint8Array };
  about: { key: "about"; value: About & { notifications: Uint8Array[] } };
}

const open = new Map<string, Promise<IDBPDatabase<Schema>>>();

/** Each account has its own database, so that none sees what is another's. */
function database(account: string) {
  const known = open.get(account);
  if (known) return known;
  const opened = openDB<Schema>(`todo.${account}`, 1, {
    upgrade(db) {
      db.createObjectStore("queue", { keyPath: "id" });
      db.createObjectStore("tasks");
      db.createObjectStore("about");
    },
    terminated: () => open.delete(account),
  });
  open.set(account, opened);
  return opened;
}

/** The queue's place. Where the browser has none to give, nothing is found there. */
export function store(account: string): Store {
  return {
    async all() {
      const db = await database(account).catch(() => undefined);
      return ((await db?.getAll("queue")) ?? []).map(whole);
    },
    async change(put, gone) {
      const db = await database(account);
      const tx = db.transaction("queue", "readwrite", { durability: "strict" });
      for (const item of put) void tx.store.put(item);
      for (const id of gone) void tx.store.delete(id);
      await tx.done;
    },
  };
}

/** A task that an older page has put there may lack fields. */
function whole(item: Item): Item {
  if (item.change.kind !== "create") return item;
  const task = create(TaskSchema, { ...item.change.task, $typeName: undefined });
  return { ...item, change: { ...item.change, task } };
}

/** Keeps what the server has said, for a start without it. */
export async function keep(account: string, changed: Task[], gone: string[], about: About, inbox: Notification[]) {
  const db = await database(account);
  const tx = db.transaction(["tasks", "about"], "readwrite");
  for (const task of changed) void tx.objectStore("tasks").put(toBinary(TaskSchema, task), task.id);
  for (const id of gone) void tx.objectStore("tasks").delete(id);
  const notifications = inbox.map((one) => toBinary(NotificationSchema, one));
  void tx.objectStore("about").put({ ...about, notifications }, "about");
  await tx.done;
}

/** Forgets kept tasks that are not among these. */
export async function keepOnly(account: string, ids: ReadonlySet<string>) {
  const db = await database(account);
  const tx = db.transaction("tasks", "readwrite");
  for (const id of await tx.store.getAllKeys()) if (!ids.has(id)) void tx.store.delete(id);
  await tx.done;
}

/** What was kept, if anything. */
export async function recall(account: string): Promise<Kept | undefined> {
  const db = await database(account);
  const about = await db.get("about", "about");
  if (!about) return;
  const tasks = (await db.getAll("tasks")).map((bytes) => fromBinary(TaskSchema, bytes));
  return { ...about, tasks, notifications: about.notifications.map((bytes) => fromBinary(NotificationSchema, bytes)) };
}

/** Wipes the kept tasks; what waits to be sent stays. */
export async function wipe(account: string) {
  const db = await database(account);
  const tx = db.transaction(["tasks", "about"], "readwrite");
  await Promise.all([tx.objectStore("tasks").clear(), tx.objectStore("about").clear(), tx.done]);
}
