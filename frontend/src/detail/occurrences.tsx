"use client";

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { useEffect, useState } from "react";

import { sentence, tasks } from "@/api/clients";
import { Anchor, type Recurrence } from "@/gen/todo/v1/task_pb";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { moment } from "@/time/words";

const DELAY = 150;

type Props = { recurrence: Recurrence; dueDate: Timestamp | undefined; short?: boolean };

/** The next dates of a rule, or why there are none. */
export function Occurrences({ recurrence, dueDate, short }: Props) {
  const { zone } = useClock();
  const [answer, setAnswer] = useState<{ dates: number[] } | { problem: string }>();
  useEffect(() => {
    const ended = new AbortController();
    const ask = () =>
      tasks
        .previewOccurrences({ recurrence, dueDate, limit: short ? 1 : 5 }, { signal: ended.signal })
        .then(({ occurrences }) => setAnswer({ dates: occurrences.map((at) => millis(at) ?? 0) }))
        .catch((error) => ended.signal.aborted || setAnswer({ problem: sentence(error) }));
    const timer = setTimeout(ask, DELAY);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [recurrence, dueDate, short]);

  if (!answer) return null;
  if ("problem" in answer) {
    return (
      <p role="alert" className="text-[0.8125rem] text-danger">
        {answer.problem}
      </p>
    );
  }
  const { dates } = answer;
  if (recurrence.anchor === Anchor.COMPLETION) return <Note>The next one comes when this one is done.</Note>;
  if (dates.length === 0) return <Note>No more dates.</Note>;
  if (short) return <Note>{`Next: ${moment(dates[0] ?? 0, zone)}`}</Note>;
  return (
    <div>
      <h3 className="mb-1 text-xs font-medium text-muted">Next dates</h3>
      <ol aria-label="Next dates" className="space-y-0.5 text-[0.8125rem] tabular-nums">
        {dates.map((at) => (
          <li key={at}>{moment(at, zone)}</li>
        ))}
      </ol>
    </div>
  );
}

function Note({ children }: { children: string }) {
  return <p className="text-xs text-muted">{children}</p>;
}
