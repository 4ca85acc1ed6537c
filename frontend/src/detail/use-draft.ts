"use client";

import { useEffect, useRef, useState } from "react";

import { keepText, keptText } from "@/ui/kept-text";

const PAUSE = 800;

/**
 * A text while it is typed: saved when typing pauses and when it is left, unless `fits` says no; shows what is stored
 * while nothing is typed. Under its name it survives a reload.
 */
export function useDraft(name: string, value: string, fits: (text: string) => boolean, save: (value: string) => void) {
  const [draft, setDraft] = useState(() => keptText(name));
  const latest = useRef({ draft, value, fits, save });
  useEffect(() => {
    latest.current = { draft, value, fits, save };
  });
  const flush = useRef(() => {
    const { draft: now, value: stored, fits: may, save: store } = latest.current;
    if (now === undefined || !may(now)) return;
    keepText(name, undefined);
    if (now !== stored) store(now);
  });
  useEffect(() => {
    if (draft === undefined) return;
    const timer = setTimeout(flush.current, PAUSE);
    return () => clearTimeout(timer);
  }, [draft]);
  useEffect(() => {
    const end = flush.current;
    return () => end();
  }, []);
  return {
    value: draft ?? value,
    onChange: (text: string) => {
      keepText(name, text);
      setDraft(text);
    },
    onBlur: () => {
      flush.current();
      keepText(name, undefined);
      setDraft(undefined);
    },
  };
}
