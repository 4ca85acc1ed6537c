"use client";

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "todo.theme";

/** Runs before the first paint, so that a chosen theme does not flash. */
export const themeScript = `try{let t=localStorage.getItem("${KEY}");if(t)document.documentElement.dataset.theme=t}catch{}`;

const listeners = new Set<() => void>();

export function setTheme(theme: Theme) {
  if (theme === "system") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEY, theme);
    document.documentElement.dataset.theme = theme;
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    subscribe,
    () => (document.documentElement.dataset.theme as Theme | undefined) ?? "system",
    () => "system",
  );
}
