import { Priority } from "@/gen/todo/v1/task_pb";
import { priorityNames } from "@/tasks/task";
import { PriorityIcon } from "@/ui/priority";
import { Segments } from "@/ui/segments";

import { Labelled } from "./labelled";

const levels = { [Priority.HIGH]: "high", [Priority.MEDIUM]: "medium", [Priority.LOW]: "low" } as const;

export function PriorityField({ priority, onSave }: { priority: Priority; onSave: (priority: Priority) => void }) {
  return (
    <Labelled label="Priority">
      <Segments
        label="Priority"
        value={String(priority)}
        options={([Priority.HIGH, Priority.MEDIUM, Priority.LOW] as const).map((one) => ({
          value: String(one),
          label: (
            <>
              <PriorityIcon level={levels[one]} />
              {priorityNames[one]}
            </>
          ),
        }))}
        onChange={(next) => onSave(Number(next))}
      />
    </Labelled>
  );
}
