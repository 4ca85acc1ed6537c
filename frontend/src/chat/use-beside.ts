"use client";

import { useState } from "react";

import { useWide } from "@/ui/wide";

const KEPT = "todo.chat.beside";

/** Whether the chat is shown beside the task list; only where there is room for both. */
export function useBeside() {
  const possible = useWide("(min-width: 1280px)");
  const [wanted, setWanted] = useState(() => localStorage.getItem(KEPT) === "1");
  const toggle = () => {
    localStorage.setItem(KEPT, wanted ? "0" : "1");
    setWanted(!wanted);
  };
  return { possible, open: possible && wanted, toggle };
}
