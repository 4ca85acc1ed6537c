import { useMemo, useSyncExternalStore } from "react";

import { useLive } from "@/live/store";

import { dayStart } from "./zone";

/** The present, as far as lists care: to the minute, in the owner's zone. */
export type Clock = { now: number; today: number; tomorrow: number; zone: string };

const MINUTE = 60_000;
const minute = () => Math.floor(Date.now() / MINUTE) * MINUTE;

function subscribe(listener: () => void) {
  const timer = setInterval(listener, 5_000);
  document.addEventListener("visibilitychange", listener);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", listener);
  };
}

export function clock(now: number, zone: string): Clock {
  return { now, zone, today: dayStart(now, zone), tomorrow: dayStart(now, zone, 1) };
}

export function useClock(): Clock {
  const { zone } = useLive();
  const now = useSyncExternalStore(subscribe, minute, () => 0);
  return useMemo(() => clock(now, zone), [now, zone]);
}
