"use client";

import { useSyncExternalStore } from "react";

import { toast } from "@/ui/toast";

/** Whether this browser may show notifications; `insecure` where it would, had the page come over https. */
export type Permission = "unsupported" | "insecure" | NotificationPermission;

/** Says that the question was put off: it stays in the inbox alone. */
const LATER = "todo.notify.later";

const listeners = new Set<() => void>();
const changed = () => listeners.forEach((listener) => listener());

export function permission(): Permission {
  if (!window.isSecureContext) return "insecure";
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** Asks; only ever called by a click. */
export async function ask() {
  const answer = await Notification.requestPermission();
  if (answer === "granted") toast("Reminders ring here from now on");
  changed();
}

export function putOff() {
  localStorage.setItem(LATER, "1");
  changed();
}

/** Browsers tell of a change in their settings by this alone. */
let watched: PermissionStatus | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  if (!watched && navigator.permissions) {
    navigator.permissions.query({ name: "notifications" }).then((status) => {
      watched = status;
      status.onchange = changed;
    }, changed);
  }
  return () => listeners.delete(listener);
}

export function usePermission(): Permission {
  return useSyncExternalStore<Permission>(subscribe, permission, () => "default");
}

/** Whether it may be asked beside what somebody is doing. */
export function useAsking(): boolean {
  return useSyncExternalStore(
    subscribe,
    () => permission() === "default" && !localStorage.getItem(LATER),
    () => false,
  );
}
