"use client";

import { useEffect, useRef, useState } from "react";

const PAUSE = 800;

/** A text while it is typed: saved when typing pauses and when it is left; shows what is stored while nothing is typed. */
export function useDraft(value: string, save: (value: string) => void) {
  const [draft, setDraft] = useState<string>();
  const latest = useRef({ draft, value, save });
  useEffect(() => {
    latest.current = { draft, value, save };
  });
  const flush = () => {
    const { draft: now, value: stored, save: keep } = latest.current;
    if (now !== undefined && now !== stored) keep(now);
  };
  useEffect(() => {
    if (draft === undefined) return;
    const timer = setTimeout(flush, PAUSE);
    return () => clearTimeout(timer);
  }, [draft]);
  useEffect(() => flush, []);
  return {
    value: draft ?? value,
    onChange: setDraft,
    onBlur: () => {
      flush();
      setDraft(undefined);
    },
  };
}
