"use client";

import { useEffect } from "react";

const DELAY = 1_000;

/** Loads what was not needed for the first sight, so that it is there at once, and when the server is away. */
export function usePreload() {
  useEffect(() => {
    const load = () =>
      Promise.all([
        import("@/ui/menu-list"),
        import("@/ui/dialog"),
        import("@/ui/calendar"),
        import("@/detail/detail"),
        import("@/chat/beside"),
        import("@/list/move-dialog"),
        import("@/quick-add/understood"),
        import("@/quick-add/part-editor"),
        import("@/list/bulk-bar"),
        import("./palette"),
        import("./help"),
        import("./refusals"),
      ]).catch(() => undefined);
    const timer = setTimeout(load, DELAY);
    return () => clearTimeout(timer);
  }, []);
}
