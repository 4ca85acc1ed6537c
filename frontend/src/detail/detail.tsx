"use client";

import { CheckCircle2, RotateCcw, Trash2, X } from "lucide-react";
import { useState } from "react";

import { Status, type Task } from "@/gen/todo/v1/task_pb";
import { useShell } from "@/shell/shell";
import { toggle, update, type Patch } from "@/tasks/actions";
import { isDone, millis, priorityNames, statusNames } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { moment } from "@/time/words";
import { Button, IconButton } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Segments } from "@/ui/segments";
import { useWide } from "@/ui/wide";

import { DueField } from "./due-field";
import { Labelled } from "./labelled";
import { PriorityField } from "./priority-field";
import { RecurrenceField } from "./recurrence-field";
import { RemindersField } from "./reminders-field";
import { TagsField } from "./tags-field";
import { DescriptionField, TitleField } from "./text-fields";

type Props = { task: Task; onClose: () => void; onDelete: (task: Task) => void };

/** All of a task, beside the list where there is room and over it where there is none. */
export function Detail(props: Props) {
  const wide = useWide("(min-width: 72rem)");
  if (!wide) {
    return (
      <Sheet open side="right" title="Task" onClose={props.onClose}>
        <Fields {...props} />
      </Sheet>
    );
  }
  return (
    <aside
      aria-label="Task"
      onKeyDown={(event) => {
        // What is open over it is closed first.
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        props.onClose();
      }}
      className="flex w-[26rem] shrink-0 animate-slide flex-col border-l border-line bg-surface"
    >
      <Fields {...props} />
    </aside>
  );
}

function Fields({ task, onClose, onDelete }: Props) {
  const { user } = useShell();
  const typed = `${user.id}.${task.id}`;
  const save = (patch: Patch, said?: string) => update(task, patch, said);
  return (
    <>
      <header className="flex h-14 shrink-0 items-center gap-2 px-4">
        <Button size="sm" look={isDone(task) ? "secondary" : "primary"} onClick={() => toggle(task)}>
          {isDone(task) ? <RotateCcw className="size-4" /> : <CheckCircle2 className="size-4" />}
          {isDone(task) ? "Reopen" : "Complete"}
        </Button>
        <div className="ml-auto flex gap-1">
          <DeleteButton onDelete={() => onDelete(task)} />
          <IconButton label="Close" onClick={onClose}>
            <X />
          </IconButton>
        </div>
      </header>
      <div className="min-h-0 flex-1 space-y-5 overflow-y-auto px-5 pb-10">
        <div className="space-y-2">
          <TitleField name={`${typed}.title`} value={task.title} onSave={(title) => save({ title })} />
          <DescriptionField
            name={`${typed}.description`}
            value={task.description}
            onSave={(description) => save({ description })}
          />
        </div>
        <Labelled label="Status">
          <Segments
            label="Status"
            value={String(task.status)}
            options={[Status.PENDING, Status.IN_PROGRESS, Status.COMPLETED].map((status) => ({
              value: String(status),
              label: statusNames[status],
            }))}
            onChange={(status) =>
              save({ status: Number(status) }, `Now ${statusNames[Number(status) as Status].toLowerCase()}`)
            }
          />
        </Labelled>
        <PriorityField
          priority={task.priority}
          onSave={(priority) => save({ priority }, `Priority ${priorityNames[priority].toLowerCase()}`)}
        />
        <DueField task={task} onSave={save} />
        <RecurrenceField task={task} onSave={save} />
        <RemindersField task={task} onSave={save} />
        <TagsField tags={task.tags} onSave={(tags) => save({ tags }, "Tags changed")} />
        <Times task={task} />
      </div>
    </>
  );
}

function DeleteButton({ onDelete }: { onDelete: () => void }) {
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <IconButton label="Delete" onClick={() => setAsking(true)}>
        <Trash2 />
      </IconButton>
    );
  }
  return (
    <>
      <Button size="sm" look="ghost" onClick={() => setAsking(false)}>
        Keep
      </Button>
      <Button size="sm" look="danger" autoFocus onClick={onDelete}>
        Delete
      </Button>
    </>
  );
}

function Times({ task }: { task: Task }) {
  const { zone } = useClock();
  const times = { Created: task.createdAt, Changed: task.updatedAt, Completed: task.completedAt };
  return (
    <dl className="space-y-1 border-t border-line pt-4 text-xs text-muted">
      {Object.entries(times).map(([name, at]) => {
        const time = millis(at);
        return (
          time !== undefined && (
            <div key={name} className="flex gap-2">
              <dt className="w-20">{name}</dt>
              <dd>{moment(time, zone)}</dd>
            </div>
          )
        );
      })}
    </dl>
  );
}
