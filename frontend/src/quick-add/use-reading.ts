"use client";

import { useEffect, useState } from "react";

import { tasks } from "@/api/clients";
import type { ParseTaskResponse } from "@/gen/todo/v1/task_service_pb";

const DELAY = 60;

/** What the server understands of a line while it is typed; of an older line until it knows. */
export function useReading(text: string) {
  const [reading, setReading] = useState<{ text: string; read: ParseTaskResponse }>();
  useEffect(() => {
    if (!text.trim()) return;
    const ended = new AbortController();
    const timer = setTimeout(() => {
      tasks
        .parseTask({ text }, { signal: ended.signal })
        .then((read) => setReading({ text, read }))
        .catch(() => undefined);
    }, DELAY);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [text]);
  return reading && text.trim() ? reading : undefined;
}
