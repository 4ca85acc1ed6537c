import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";
import type { View } from "@/queue/change";

/**
 * What the server has said, whatever the order in which it was heard: of each task the highest revision holds, and what
 * was deleted stays so until a higher revision comes.
 */
export class Replica {
  readonly #tasks = new Map<string, Task>();
  readonly #gone = new Map<string, bigint>();
  readonly #notifications = new Map<string, Notification>();
  /** From an earlier visit, and not yet heard of in this one. */
  readonly #kept = new Set<string>();
  /** What has changed since it was last asked. */
  #changed = new Set<string>();

  /** Takes a task of an earlier visit. */
  keep(task: Task) {
    if (this.#tasks.has(task.id) || this.#gone.has(task.id)) return;
    this.#tasks.set(task.id, task);
    this.#kept.add(task.id);
  }

  /** All tasks have been heard of: what else was kept is there no more. */
  settle() {
    for (const id of this.#kept) this.#tasks.delete(id);
    this.#kept.clear();
  }

  /** The tasks that have changed since this was last asked, and the ids of those that are gone. */
  changes(): { changed: Task[]; gone: string[] } {
    const ids = [...this.#changed];
    this.#changed = new Set();
    return {
      changed: ids.flatMap((id) => this.#tasks.get(id) ?? []),
      gone: ids.filter((id) => !this.#tasks.has(id)),
    };
  }

  task(task: Task) {
    const known = this.#tasks.get(task.id)?.revision ?? this.#gone.get(task.id) ?? -1n;
    if (task.revision < known) return;
    this.#kept.delete(task.id);
    this.#changed.add(task.id);
    this.#gone.delete(task.id);
    this.#tasks.set(task.id, task);
  }

  remove(id: string, revision: bigint) {
    const known = this.#tasks.get(id)?.revision ?? this.#gone.get(id) ?? -1n;
    if (revision < known) return;
    this.#changed.add(id);
    this.#tasks.delete(id);
    this.#gone.set(id, revision);
  }

  /** Says whether it has just rung, for the first time or again. */
  notification(notification: Notification): boolean {
    const known = this.#notifications.get(notification.id);
    if (known && known.revision > notification.revision) return false;
    this.#notifications.set(notification.id, notification);
    const { readAt, snoozedUntil } = notification;
    return !readAt && !snoozedUntil && (!known || rangAt(known) < rangAt(notification));
  }

  /** What the server has said, to be changed freely. */
  view(): View {
    return { tasks: new Map(this.#tasks), notifications: new Map(this.#notifications) };
  }
}

/** Newest first. */
export function newestFirst(notifications: Iterable<Notification>): Notification[] {
  return [...notifications].sort((a, b) => rangAt(b) - rangAt(a));
}

/** In seconds since 1970. */
function rangAt({ triggeredAt }: Notification): number {
  return Number(triggeredAt?.seconds ?? 0n) + (triggeredAt?.nanos ?? 0) / 1e9;
}
