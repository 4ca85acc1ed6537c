"use client";

import { Bell, BellOff, BellRing } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/ui/button";

import { ask, usePermission, type Permission } from "./permission";
import { usePush } from "./use-push";

const words: Record<Permission, ReactNode> = {
  default: "Reminders ring on this page. This browser can tell you of them elsewhere too.",
  granted: "This browser tells you when a reminder rings, while Todo is open in some tab.",
  denied:
    "This browser was told not to show notifications of this site. To undo that, click the icon beside the address, choose Site settings, and allow notifications.",
  insecure: "Browsers show notifications only of sites that are opened by https; reminders ring on this page.",
  unsupported:
    "This browser shows no notifications; reminders ring on this page. On an iPhone or iPad, add Todo to the Home Screen first.",
};

/** In the inbox: whether this browser tells of reminders, and how to change that. */
export function NotifySettings() {
  const permission = usePermission();
  const push = usePush(permission === "granted");
  const Icon = permission === "granted" ? BellRing : permission === "default" ? Bell : BellOff;
  return (
    <section
      aria-label="Notifications of this browser"
      className="mx-3 mb-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl bg-sunken px-4 py-3 text-[0.8125rem] text-muted"
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      <p className="min-w-48 flex-1">
        {push.state === "on"
          ? "This browser tells you when a reminder rings, while Todo is closed too."
          : words[permission]}
      </p>
      {permission === "default" && (
        <Button size="sm" onClick={() => void ask()}>
          Allow notifications
        </Button>
      )}
      {push.state !== "none" && (
        <Button size="sm" onClick={() => void push.turn(push.state === "off")}>
          {push.state === "off" ? "While it is closed too" : "Only while it is open"}
        </Button>
      )}
    </section>
  );
}
