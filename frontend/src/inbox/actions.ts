import { notifications, sentence } from "@/api/clients";
import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import { current, hold } from "@/live/store";
import { push } from "@/queue/outbox";
import { toast } from "@/ui/toast";

export const markRead = ({ id, taskTitle: title }: Pick<Notification, "id" | "taskTitle">) =>
  push({ kind: "read", id, title });

/** Marks what is known as read; who is offline may not know all, and has not seen the others. */
export function markAllRead() {
  const { link, notifications: known } = current();
  if (link === "live") return void push({ kind: "readAll" });
  for (const one of known) if (!one.readAt) markRead(one);
}

/** Reads those before the newest `known`; answers how many there are in all. */
export async function older(known: number): Promise<number> {
  try {
    const page = await notifications.listNotifications({ offset: known });
    hold((replica) => page.notifications.forEach((one) => replica.notification(one)));
    return Number(page.total);
  } catch (error) {
    toast(sentence(error), { kind: "error" });
    return Infinity;
  }
}

export function snooze({ id, taskTitle: title }: Notification, until: number, when: string) {
  push({ kind: "snooze", id, title, until });
  toast(`Rings again ${when}`);
}
