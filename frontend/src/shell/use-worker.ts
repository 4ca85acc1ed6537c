"use client";

import { useEffect } from "react";

/** Has the browser keep the page, so that it starts without its server. */
export function useWorker() {
  useEffect(() => {
    if (process.env.NODE_ENV !== "production") return;
    // Without a secure context there is none.
    navigator.serviceWorker?.register("/worker.js", { updateViaCache: "none" }).catch(() => undefined);
  }, []);
}
