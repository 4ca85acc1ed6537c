import clsx from "clsx";

import { Status, type Task } from "@/gen/todo/v1/task_pb";
import { isDone } from "@/tasks/task";

/** The circle before a task: empty, half or checked. A click completes, or opens again. */
export function StatusButton({ task, onToggle }: { task: Task; onToggle: () => void }) {
  const done = isDone(task);
  const started = task.status === Status.IN_PROGRESS;
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={done ? true : started ? "mixed" : false}
      aria-label={`Complete ${task.title}`}
      onClick={onToggle}
      className="group/status relative z-1 -mx-1 -my-[0.3125rem] flex size-8 shrink-0 items-center justify-center rounded-full pointer-coarse:-m-2.5 pointer-coarse:size-11"
    >
      <svg
        viewBox="0 0 20 20"
        className={clsx("size-5", done ? "text-success" : started ? "text-accent-ink" : "text-edge")}
        aria-hidden
      >
        <circle
          cx="10"
          cy="10"
          r="8.25"
          fill={done ? "currentColor" : "none"}
          stroke="currentColor"
          strokeWidth="1.5"
        />
        {started && <path d="M10 4.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />}
        <path
          d="m6.5 10.3 2.4 2.4 4.6-5"
          fill="none"
          stroke={done ? "var(--surface)" : "currentColor"}
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
          className={clsx(
            "transition-opacity",
            !done && "opacity-0",
            !done && !started && "group-hover/status:opacity-100",
          )}
        />
      </svg>
    </button>
  );
}
