import { notifications, sentence } from "@/api/clients";
import type { Notification } from "@/gen/todo/v1/notification_service_pb";
import { hold } from "@/live/store";
import { stamp } from "@/tasks/task";
import { toast } from "@/ui/toast";

/** What follows is heard by the stream; only what went wrong is said here. */
async function attempt(act: () => Promise<unknown>) {
  try {
    await act();
  } catch (error) {
    toast(sentence(error), { kind: "error" });
  }
}

export const markRead = ({ id }: Pick<Notification, "id">) => attempt(() => notifications.markRead({ id }));

export const markAllRead = () => attempt(() => notifications.markAllRead({}));

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

export const snooze = ({ id }: Notification, until: number, when: string) =>
  attempt(async () => {
    const snoozed = await notifications.snooze({ id, until: stamp(until) });
    hold((replica) => replica.notification(snoozed));
    toast(`Rings again ${when}`);
  });
