"use client";

import { createContext, useContext, useMemo, type ReactNode } from "react";

import { useLive } from "@/live/store";
import { count, type Counts } from "@/tasks/select";
import { useClock } from "@/time/clock";

const Context = createContext<Counts | undefined>(undefined);

/** Counts once for all who show it. */
export function CountsProvider({ children }: { children: ReactNode }) {
  const { tasks } = useLive();
  const clock = useClock();
  const counts = useMemo(() => count(tasks.values(), clock), [tasks, clock]);
  return <Context value={counts}>{children}</Context>;
}

export function useCounts(): Counts {
  const counts = useContext(Context);
  if (!counts) throw new Error("outside of the shell");
  return counts;
}
