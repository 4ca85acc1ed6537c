"use client";

import clsx from "clsx";
import { X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";

import { Button, IconButton } from "./button";

type Toast = { id: number; text: string; kind: "info" | "error"; action?: { label: string; run: () => void } };

/** How long a toast stays while nobody is at it, in milliseconds. */
const STAYS = 7_000;

let toasts: Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();
const none: Toast[] = [];

function change(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says something that passes; at most three at a time. */
export function toast(text: string, options: { kind?: Toast["kind"]; action?: Toast["action"] } = {}) {
  last += 1;
  change([...toasts.slice(-2), { id: last, text, kind: options.kind ?? "info", action: options.action }]);
}

function dismiss(id: number) {
  change(toasts.filter((one) => one.id !== id));
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What was said lately. Not loaded late, because it says that the server is away. */
export function Toasts() {
  const shown = useSyncExternalStore(
    subscribe,
    () => toasts,
    () => none,
  );
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed bottom-0 left-1/2 z-60 flex w-[min(28rem,100vw)] -translate-x-1/2 flex-col gap-2 p-3 sm:p-5"
    >
      {shown.map((one) => (
        <Message key={one.id} toast={one} />
      ))}
    </div>
  );
}

function Message({ toast: { id, text, kind, action } }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismiss(id), STAYS);
    return () => clearTimeout(timer);
  }, [id, held]);
  return (
    <div
      role={kind === "error" ? "alert" : "status"}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className={clsx(
        "pointer-events-auto flex animate-rise items-center gap-3 rounded-xl border bg-raised py-2 pr-2 pl-4 text-sm shadow-pop",
        kind === "error" ? "border-danger" : "border-line",
      )}
    >
      <p className={clsx("min-w-0 flex-1 py-1", kind === "error" && "text-danger")}>{text}</p>
      {action && (
        <Button
          size="sm"
          look="ghost"
          className="font-semibold text-accent-ink"
          onClick={() => {
            dismiss(id);
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label="Dismiss" onClick={() => dismiss(id)}>
        <X />
      </IconButton>
    </div>
  );
}
