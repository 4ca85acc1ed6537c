import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";

import type { ToolInvocation } from "@/gen/todo/v1/chat_service_pb";
import { RecurrenceSchema, RecurrenceType } from "@/gen/todo/v1/task_pb";
import { describe } from "@/tasks/rule";
import { beforeDue, fullDay, moment } from "@/time/words";

const names: Record<string, string> = {
  add_task: "Add a task",
  list_tasks: "Look for tasks",
  get_task: "Read a task",
  update_task: "Change a task",
  complete_task: "Complete a task",
  reopen_task: "Reopen a task",
  delete_task: "Delete a task",
  batch_change: "Change several tasks",
  undo_change: "Undo a change",
  preview_occurrences: "See when it comes",
  list_tags: "List tags",
};
const readers = ["list_tasks", "get_task", "preview_occurrences", "list_tags"];

/** "add_task" as "Add a task". */
export function callName(tool: string): string {
  return names[tool] ?? words(tool);
}

function words(key: string): string {
  const text = key.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What software needs and people do not. */
const HIDDEN =
  /^(id|ids|.*_ids?|revisions?|total|limit|offset|confirm_token|.*page_token|created_at|updated_at|due_all_day|deleted)$/;
/** A struct has its fields by name; a task is read in this order. */
const FIRST = ["title", "status", "priority", "due_date", "recurrence", "reminders", "tags", "description"];
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const labels: Record<string, string> = { due_date: "Due", recurrence: "Repeats", due_after: "Due from" };
const rules: Record<string, RecurrenceType> = { daily: RecurrenceType.DAILY, weekly: RecurrenceType.WEEKLY };

export type Row = { name: string; value: string };

/** Arguments or a result as lines to read. */
export function rows(fields: JsonObject | undefined, zone: string): Row[] {
  const place = ([key]: [string, unknown]) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  const entries = Object.entries(fields ?? {}).sort((a, b) => place(a) - place(b));
  return entries.flatMap(([key, value]) => {
    if (HIDDEN.test(key)) return [];
    if (key === "task" && isObject(value)) return rows(value, zone);
    const allDay = key === "due_date" && fields?.due_all_day === true;
    const text = allDay && typeof value === "string" ? fullDay(Date.parse(value), zone) : say(value, zone);
    return text === "" ? [] : [{ name: labels[key] ?? words(key), value: text }];
  });
}

function say(value: JsonValue, zone: string): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return INSTANT.test(value) ? moment(Date.parse(value), zone) : plain(value);
  if (Array.isArray(value)) return value.map((one) => say(one, zone)).join(value.some(isObject) ? "\n" : ", ");
  return isObject(value) ? sayObject(value, zone) : String(value);
}

/** "in_progress" as "in progress". */
const plain = (text: string) => (/^[a-z]+(_[a-z]+)+$/.test(text) ? text.replaceAll("_", " ") : text);

/** A task, a tag, a reminder or a recurrence. */
function sayObject(value: JsonObject, zone: string): string {
  const { title, tag, before_due_seconds: before, trigger_at: at, recurrence_type: type } = value;
  if (typeof title === "string") return title;
  if (typeof tag === "string") return `#${tag}`;
  if (typeof before === "number") return beforeDue(before);
  if (typeof at === "string") return moment(Date.parse(at), zone);
  if (typeof type === "string") return describe(recurrenceOf(type, value));
  const inner = rows(value, zone).map(({ name, value }) => `${name}: ${value}`);
  return inner.join("\n");
}

function recurrenceOf(type: string, { rrule, cron_expression: cron }: JsonObject) {
  const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : undefined);
  const other = text(cron) ? RecurrenceType.CUSTOM : RecurrenceType.RRULE;
  return create(RecurrenceSchema, {
    recurrenceType: rules[type] ?? other,
    rrule: text(rrule),
    cronExpression: text(cron),
  });
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The ids of the tasks that calls made or changed. */
export function touched(calls: ToolInvocation[]): string[] {
  const writes = calls.filter(({ toolName, success }) => success && !readers.includes(toolName));
  const found = writes.flatMap(({ toolName, result }) => {
    // A list with a token is what would be changed.
    if (toolName === "delete_task" || !result || typeof result.confirm_token === "string") return [];
    const { task, tasks } = result;
    return Array.isArray(tasks) ? tasks : [isObject(task) ? task : result];
  });
  const ids = found.map((task) => (isObject(task) ? task.id : undefined));
  return [...new Set(ids.filter((id) => typeof id === "string"))];
}
