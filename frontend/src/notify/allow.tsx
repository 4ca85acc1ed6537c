"use client";

import { BellPlus } from "lucide-react";

import { useLive } from "@/live/store";
import { isDone, isPending } from "@/tasks/task";
import { Button, IconButton } from "@/ui/button";

import { ask, putOff, useAsking } from "./permission";

/** Under the reminders of a task that has one: the question whether this browser may tell of them. */
export function AllowLine() {
  if (!useAsking()) return null;
  return (
    <div className="space-y-1 text-[0.8125rem] text-muted">
      <p>Tell me here when it rings:</p>
      <Button size="sm" onClick={() => void ask()}>
        Allow notifications
      </Button>
      <Button size="sm" look="ghost" className="ml-1" onClick={putOff}>
        Not now
      </Button>
    </div>
  );
}

/** Beside the bell while some reminder is going to ring. */
export function AllowButton() {
  const { tasks } = useLive();
  const asking = useAsking();
  if (!asking || ![...tasks.values()].some((task) => !isDone(task) && task.reminders.some(isPending))) return null;
  return (
    <IconButton label="Allow notifications, to be told when a reminder rings" onClick={() => void ask()}>
      <BellPlus />
    </IconButton>
  );
}
