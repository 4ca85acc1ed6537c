import { useLive } from "@/live/store";

import { useOutbox } from "./outbox";

/** Whether the server cannot be reached, as far as is known. */
export function useAway(): boolean {
  const { link } = useLive();
  const { away } = useOutbox();
  return away || link === "offline";
}
