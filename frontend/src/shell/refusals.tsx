"use client";

import { describe, made, needs, type Item } from "@/queue/change";
import { discard, retry, useOutbox } from "@/queue/outbox";
import { write } from "@/tasks/query";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { keepText, LINE } from "@/ui/kept-text";

import { useGo, useQuery } from "./navigate";
import { useShell } from "./shell";

/** What the server refused and why: to be tried again, changed or given up. */
export function Refusals({ onClose }: { onClose: () => void }) {
  const { refused } = useOutbox();
  return (
    <Dialog open title="Refused changes" onClose={onClose}>
      {refused.length === 0 ? (
        <p className="text-sm text-muted">Nothing is left here.</p>
      ) : (
        <ul aria-label="Refused changes" className="divide-y divide-line">
          {refused.map((item) => (
            <Refusal key={item.id} item={item} onClose={onClose} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

function Refusal({ item, onClose }: { item: Item; onClose: () => void }) {
  const { user } = useShell();
  const go = useGo();
  const query = useQuery();
  const { blocked } = useOutbox();
  const { change } = item;
  const task = made(change);
  const line = change.kind === "create" || change.kind === "line" ? change.line : undefined;
  const edit = () => {
    keepText(`${user.id}.${LINE}`, line);
    discard(item);
    onClose();
    go(write({ ...query, task: undefined }));
  };
  return (
    <li className="space-y-2 py-3 first:pt-0 last:pb-0">
      <p className="font-medium break-words">{describe(change)}</p>
      <p className="text-sm text-danger">{item.refused}</p>
      {task && blocked.some((other) => needs(other.change, task)) && (
        <p className="text-xs text-muted">What was done to this task since waits for it, and is discarded with it.</p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => retry(item)}>
          Try again
        </Button>
        {line && (
          <Button size="sm" onClick={edit}>
            Write it anew
          </Button>
        )}
        <Button size="sm" look="danger" onClick={() => discard(item)}>
          Discard
        </Button>
      </div>
    </li>
  );
}
