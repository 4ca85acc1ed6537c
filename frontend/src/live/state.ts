import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";

/** A change on its way to the server, seen as if it had been made. */
export type Effect = (tasks: Map<string, Task>) => void;

/**
 * What the server has said, whatever the order in which it was heard: of each task the highest revision holds, and what
 * was deleted stays so until a higher revision comes.
 */
export class Replica {
  readonly #tasks = new Map<string, Task>();
  readonly #gone = new Map<string, bigint>();
  readonly #notifications = new Map<string, Notification>();
  readonly #effects = new Set<Effect>();

  task(task: Task) {
    const known = this.#tasks.get(task.id)?.revision ?? this.#gone.get(task.id) ?? -1n;
    if (task.revision < known) return;
    this.#gone.delete(task.id);
    this.#tasks.set(task.id, task);
  }

  remove(id: string, revision: bigint) {
    const known = this.#tasks.get(id)?.revision ?? this.#gone.get(id) ?? -1n;
    if (revision < known) return;
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

  begin(effect: Effect) {
    this.#effects.add(effect);
  }

  end(effect: Effect) {
    this.#effects.delete(effect);
  }

  /** The tasks with every change that is on its way. */
  tasks(): Map<string, Task> {
    const view = new Map(this.#tasks);
    for (const effect of this.#effects) effect(view);
    return view;
  }

  /** Newest first. */
  notifications(): Notification[] {
    return [...this.#notifications.values()].sort((a, b) => rangAt(b) - rangAt(a));
  }
}

/** In seconds since 1970. */
function rangAt({ triggeredAt }: Notification): number {
  return Number(triggeredAt?.seconds ?? 0n) + (triggeredAt?.nanos ?? 0) / 1e9;
}
