"use client";

import { useEffect, useRef } from "react";

type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

function isTyping(target: EventTarget | null) {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** What was pressed: "j", "?", "mod+k" (Ctrl, or Command on a Mac). */
function pressed({ key, ctrlKey, metaKey, altKey }: KeyboardEvent) {
  if (altKey) return "";
  return (ctrlKey || metaKey ? "mod+" : "") + (key.length === 1 ? key.toLowerCase() : key);
}

/** Listens for keys while nothing is typed and no dialog is open; with the modifier always. */
export function useShortcuts(shortcuts: Shortcuts) {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const name = pressed(event);
      const act = latest.current[name];
      if (!act) return;
      const inLayer = document.querySelector("[role=dialog],[role=menu],[data-layer]") !== null;
      if (!name.startsWith("mod+") && (isTyping(event.target) || inLayer)) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
