import type { Notification as Rung } from "@/gen/todo/v1/notification_service_pb";

import { anyLooking } from "./looking";
import { permission } from "./permission";
import { worker } from "./worker";

/** Those that this tab shows itself, by their ids. */
const shown = new Map<string, Notification>();

/**
 * Has the system show it, unless somebody looks at the page or it may not. By the worker where there is one: then a push
 * of the same, which has the same tag, takes its place.
 */
export async function show({ id, taskId, taskTitle }: Rung, onClick: () => void) {
  if (permission() !== "granted" || (await anyLooking())) return;
  const registration = await worker();
  // As in worker/push.js.
  const options = { tag: id, body: "Reminder", icon: "/icon-192.png", data: { task: taskId, notification: id } };
  if (registration) return registration.showNotification(taskTitle, options);
  const notification = new Notification(taskTitle, options);
  notification.onclick = () => {
    notification.close();
    onClick();
  };
  notification.onclose = () => shown.delete(id);
  shown.set(id, notification);
}

/** Takes it back, because it was dealt with elsewhere. */
export async function close(id: string) {
  shown.get(id)?.close();
  const registration = await navigator.serviceWorker?.getRegistration();
  const notifications = await registration?.getNotifications({ tag: id });
  for (const notification of notifications ?? []) notification.close();
}
