"use client";

import { Bell as BellIcon } from "lucide-react";

import { useLive } from "@/live/store";

import { useGo } from "./navigate";

/** Leads to the notifications, with the number of those not yet read. */
export function Bell() {
  const { unread } = useLive();
  const go = useGo();
  return (
    <a
      href="/notifications"
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go("/notifications");
      }}
      aria-label={unread > 0 ? `Notifications, ${unread} unread` : "Notifications"}
      className="relative -mr-2 flex size-9 items-center justify-center rounded-lg text-muted hover:bg-hover hover:text-ink pointer-coarse:size-11"
    >
      <BellIcon className="size-5" />
      {unread > 0 && (
        <span className="absolute top-0.5 right-0.5 flex h-4 min-w-4 items-center justify-center rounded-full bg-accent px-1 text-[0.625rem] font-semibold text-white tabular-nums">
          {unread > 99 ? "99+" : unread}
        </span>
      )}
    </a>
  );
}
