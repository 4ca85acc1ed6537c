"use client";

import { useCallback, useSyncExternalStore } from "react";

/** Names of what is typed. */
export const LINE = "line";

const PREFIX = "todo.typed.";
const listeners = new Set<() => void>();

/** What was typed under a name in this tab and is not done with; it survives a reload. */
export function keptText(name: string): string | undefined {
  return sessionStorage.getItem(PREFIX + name) ?? undefined;
}

export function keepText(name: string, text: string | undefined) {
  if (text === undefined) sessionStorage.removeItem(PREFIX + name);
  else sessionStorage.setItem(PREFIX + name, text);
  for (const listener of listeners) listener();
}

/** Forgets all that was typed. */
export function forgetTexts() {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useKeptText(name: string): [string, (text: string) => void] {
  const text = useSyncExternalStore(
    subscribe,
    () => keptText(name) ?? "",
    () => "",
  );
  return [text, useCallback((next) => keepText(name, next || undefined), [name])];
}
