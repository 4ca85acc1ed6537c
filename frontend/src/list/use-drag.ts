"use client";

import { useEffect, useRef, useState, type RefObject } from "react";

/** What is dragged, and the day over which it is. */
export type Drag = { id: string; day: number | undefined };

/**
 * Lets tasks be dragged onto days, if there are any; `badge` follows the pointer. Its code is loaded when the pointer
 * comes near, and else after the first sight.
 */
export function useDrag(
  box: RefObject<HTMLElement | null>,
  badge: RefObject<HTMLElement | null>,
  possible: boolean,
  onDrop: (id: string, day: number) => void,
): Drag | undefined {
  const [drag, setDrag] = useState<Drag>();
  const latest = useRef(onDrop);
  useEffect(() => {
    latest.current = onDrop;
  });
  useEffect(() => {
    const element = box.current;
    if (!possible || !element) return;
    let end: (() => void) | undefined;
    let gone = false;
    const load = async () => {
      clearTimeout(timer);
      element.removeEventListener("pointerenter", load);
      const loaded = await import("./drag").catch(() => undefined);
      if (gone || !loaded) return;
      end = loaded.dragWithin(element, {
        onStart: (id) => setDrag({ id, day: undefined }),
        onMove: (x, y, day) => {
          badge.current?.style.setProperty("translate", `${x}px ${y}px`);
          setDrag((now) => (now && now.day !== day ? { ...now, day } : now));
        },
        onEnd: (id, day) => {
          setDrag(undefined);
          if (day !== undefined) latest.current(id, day);
        },
      });
      element.dataset.drags = "";
    };
    const timer = setTimeout(load, 1_000);
    element.addEventListener("pointerenter", load);
    return () => {
      gone = true;
      clearTimeout(timer);
      element.removeEventListener("pointerenter", load);
      delete element.dataset.drags;
      end?.();
    };
  }, [box, badge, possible]);
  return drag;
}
