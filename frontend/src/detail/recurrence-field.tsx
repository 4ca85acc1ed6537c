"use client";

import { create } from "@bufbuild/protobuf";
import { Repeat } from "lucide-react";
import { useState } from "react";

import { RecurrenceSchema, RecurrenceType, type Recurrence, type Task } from "@/gen/todo/v1/task_pb";
import type { Patch } from "@/tasks/actions";
import { describe, withRule, type Rule } from "@/tasks/rule";
import { Button } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";

import { ClearButton, Labelled } from "./labelled";
import { Occurrences } from "./occurrences";
import { RuleEditor } from "./rule-editor";

type Props = { task: Task; onSave: (patch: Patch, said?: string) => void };

const every = (
  unit: "day" | "week" | "month" | "year",
  more: Partial<Extract<Rule, { kind: "every" }>> = {},
): Rule => ({
  kind: "every",
  unit,
  interval: 1,
  days: [],
  ...more,
});
const presets: Rule[] = [
  every("day"),
  every("week", { days: ["MO", "TU", "WE", "TH", "FR"] }),
  every("week"),
  every("week", { interval: 2 }),
  every("month"),
  every("year"),
];

/** How the task comes again; changed as a draft with its next five dates, then saved. */
export function RecurrenceField({ task, onSave }: Props) {
  const [draft, setDraft] = useState<Recurrence>();
  const { recurrence } = task;
  const choose = (rule: Rule) => setDraft(withRule(recurrence ?? create(RecurrenceSchema), rule));
  const clear = () => {
    setDraft(undefined);
    onSave({ recurrence: undefined }, "Does not repeat");
  };
  return (
    <Labelled
      label="Repeat"
      aside={recurrence && !draft && <ClearButton label="Clear the recurrence" onClick={clear} />}
    >
      {draft ? (
        <div className="space-y-4 rounded-xl border border-line p-3">
          <RuleEditor value={draft} onChange={setDraft} />
          <Occurrences recurrence={draft} dueDate={task.dueDate} />
          <div className="flex justify-end gap-2">
            <Button size="sm" look="ghost" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
            <Button
              size="sm"
              look="primary"
              onClick={() => {
                setDraft(undefined);
                onSave({ recurrence: draft }, `Repeats: ${describe(draft)}`);
              }}
            >
              Save
            </Button>
          </div>
        </div>
      ) : recurrence ? (
        <>
          <Button className="w-full justify-start" onClick={() => setDraft(recurrence)}>
            <Repeat className="size-4" aria-hidden />
            <span className="truncate">{describe(recurrence)}</span>
            {(recurrence.paused || !recurrence.active) && (
              <span className="ml-auto text-xs text-muted">{recurrence.paused ? "paused" : "ended"}</span>
            )}
          </Button>
          <Occurrences recurrence={recurrence} dueDate={task.dueDate} short />
        </>
      ) : (
        <Menu
          align="start"
          trigger={
            <Button size="sm" look="ghost" className="bg-sunken">
              <Repeat className="size-4" /> Repeat it
            </Button>
          }
        >
          {presets.map((rule) => {
            const name = describe(withRule(undefined, rule));
            return (
              <MenuItem key={name} onSelect={() => choose(rule)}>
                {name}
              </MenuItem>
            );
          })}
          <MenuItem
            onSelect={() =>
              setDraft(create(RecurrenceSchema, { recurrenceType: RecurrenceType.CUSTOM, cronExpression: "0 9 * * 1" }))
            }
          >
            By a cron expression
          </MenuItem>
        </Menu>
      )}
    </Labelled>
  );
}
