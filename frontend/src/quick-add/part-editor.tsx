"use client";

import type { RefObject } from "react";

import { DueField } from "@/detail/due-field";
import { Labelled } from "@/detail/labelled";
import { Occurrences } from "@/detail/occurrences";
import { PriorityField } from "@/detail/priority-field";
import { RemindersField } from "@/detail/reminders-field";
import { RuleEditor } from "@/detail/rule-editor";
import { TagsField } from "@/detail/tags-field";
import type { Task } from "@/gen/todo/v1/task_pb";
import { PopoverAt } from "@/ui/popover";

import type { Corrections } from "./correct";
import type { Part } from "./reading";

type Props = {
  kind: Exclude<Part["kind"], "description">;
  task: Task;
  anchor: RefObject<HTMLElement | null>;
  onChange: (corrections: Corrections) => void;
  onClose: () => void;
};

const names = { due: "Due", recurrence: "Repeat", reminder: "Reminders", priority: "Priority", tag: "Tags" } as const;

/** The editor of one part of a line, at its chip: the same as beside a task. */
export function PartEditor({ kind, task, anchor, onChange, onClose }: Props) {
  return (
    <PopoverAt anchor={anchor} label={names[kind]} onClose={onClose}>
      <div className="max-h-[70vh] w-88 max-w-[calc(100vw-1.5rem)] overflow-y-auto p-4">
        {kind === "due" && <DueField task={task} onSave={onChange} />}
        {kind === "reminder" && <RemindersField task={task} onSave={onChange} />}
        {kind === "priority" && (
          <PriorityField priority={task.priority} onSave={(priority) => onChange({ priority })} />
        )}
        {kind === "tag" && <TagsField tags={task.tags} onSave={(tags) => onChange({ tags })} />}
        {kind === "recurrence" && task.recurrence && (
          <Labelled label="Repeat">
            <RuleEditor value={task.recurrence} onChange={(recurrence) => onChange({ recurrence })} />
            <Occurrences recurrence={task.recurrence} dueDate={task.dueDate} />
          </Labelled>
        )}
      </div>
    </PopoverAt>
  );
}
