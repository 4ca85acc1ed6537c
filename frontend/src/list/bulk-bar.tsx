"use client";

import { CalendarDays, Check, Trash2, X } from "lucide-react";
import { useState } from "react";

import { BatchAction } from "@/gen/todo/v1/task_service_pb";
import { Button, IconButton } from "@/ui/button";

type Props = {
  count: number;
  onAct: (action: BatchAction.COMPLETE | BatchAction.DELETE) => void;
  onMove: () => void;
  onClear: () => void;
};

/** What can be done to the chosen tasks. */
export function BulkBar({ count, onAct, onMove, onClear }: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <div
      role="toolbar"
      aria-label="Chosen tasks"
      className="fixed bottom-5 left-1/2 z-30 flex -translate-x-1/2 animate-rise items-center gap-1.5 rounded-xl border border-line bg-raised p-1.5 pl-4 text-sm shadow-pop"
    >
      <span className="pr-2 whitespace-nowrap tabular-nums">{asking ? `Delete all ${count}?` : `${count} chosen`}</span>
      {asking ? (
        <>
          <Button size="sm" look="ghost" onClick={() => setAsking(false)}>
            Keep
          </Button>
          <Button size="sm" look="danger" autoFocus onClick={() => onAct(BatchAction.DELETE)}>
            Delete
          </Button>
        </>
      ) : (
        <>
          <Button size="sm" onClick={() => onAct(BatchAction.COMPLETE)}>
            <Check className="size-4" /> Complete
          </Button>
          <Button size="sm" onClick={onMove}>
            <CalendarDays className="size-4" /> Move
          </Button>
          <Button size="sm" look="danger" onClick={() => setAsking(true)}>
            <Trash2 className="size-4" /> Delete
          </Button>
          <IconButton label="Choose none" onClick={onClear}>
            <X />
          </IconButton>
        </>
      )}
    </div>
  );
}
