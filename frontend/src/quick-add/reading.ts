import { SpanKind, type ParseTaskResponse, type Span } from "@/gen/todo/v1/task_service_pb";
import { Priority } from "@/gen/todo/v1/task_pb";
import { describe } from "@/tasks/rule";
import type { Given } from "@/queue/change";
import type { Draft } from "@/tasks/actions";
import { fold, millis, priorityNames } from "@/tasks/task";
import type { Clock } from "@/time/clock";
import { beforeDue, dueText, moment } from "@/time/words";

/** One understood part of a line, and where in the line it stands. */
export type Part = {
  kind: "due" | "recurrence" | "reminder" | "priority" | "tag" | "description";
  label: string;
  spans: Span[];
};

const kinds: Record<Part["kind"], SpanKind[]> = {
  due: [SpanKind.DUE, SpanKind.TIME],
  recurrence: [SpanKind.RECURRENCE],
  reminder: [SpanKind.REMINDER],
  priority: [SpanKind.PRIORITY],
  tag: [SpanKind.TAG],
  description: [SpanKind.DESCRIPTION],
};

/** The task that was meant, with what the view gives. */
export function draftOf(read: ParseTaskResponse, given: Given): Draft {
  const { title, description, priority, reminders, recurrence } = read;
  const own = read.tags.map(fold);
  const tags = [...read.tags, ...given.tags.filter((tag) => !own.includes(fold(tag)))];
  const { dueDate, dueAllDay } = read.dueDate || !given.dueDate ? read : { dueDate: given.dueDate, dueAllDay: true };
  return { title, description, priority, tags, reminders, recurrence, dueDate, dueAllDay };
}

/** What was understood, part by part. */
export function parts(read: ParseTaskResponse, clock: Clock): Part[] {
  const at = (kind: Part["kind"]) => read.spans.filter((span) => kinds[kind].includes(span.kind));
  const found: Part[] = [];
  const due = millis(read.dueDate);
  if (due !== undefined) {
    // A recurrence alone says when it is due, too.
    const spans = at("due");
    found.push({
      kind: "due",
      label: dueText(due, read.dueAllDay, clock),
      spans: spans.length > 0 ? spans : at("recurrence"),
    });
  }
  if (read.recurrence) found.push({ kind: "recurrence", label: describe(read.recurrence), spans: at("recurrence") });
  if (read.reminders.length > 0) {
    const labels = read.reminders.map(({ beforeDueSeconds, triggerAt }) =>
      beforeDueSeconds === undefined ? moment(millis(triggerAt) ?? 0, clock.zone) : beforeDue(Number(beforeDueSeconds)),
    );
    found.push({ kind: "reminder", label: labels.join(", "), spans: at("reminder") });
  }
  const priority = at("priority");
  if (priority.length > 0 || read.priority === Priority.HIGH || read.priority === Priority.LOW) {
    found.push({ kind: "priority", label: priorityNames[read.priority], spans: priority });
  }
  const tags = at("tag");
  for (const tag of read.tags) {
    const spans = tags.filter(({ text }) => fold(text.replace(/^#/, "")) === fold(tag));
    found.push({ kind: "tag", label: tag, spans });
  }
  if (read.description) found.push({ kind: "description", label: "Description", spans: at("description") });
  return found;
}

/** The line with parts in quotes, in which they are words like any other. */
export function quote(text: string, spans: Span[]): string {
  const characters = [...text];
  for (const { start, end } of spans.toSorted((a, b) => b.start - a.start)) {
    characters.splice(start, end - start, `"${characters.slice(start, end).join("")}"`);
  }
  return characters.join("");
}

/** Where a span stands as scripts count: in UTF-16 units. */
export function units(text: string, { start, end }: Pick<Span, "start" | "end">): [number, number] {
  const characters = [...text];
  const before = characters.slice(0, start).join("").length;
  return [before, before + characters.slice(start, end).join("").length];
}

/** The line cut along its spans; odd pieces are understood. */
export function marked(text: string, spans: Span[]): string[] {
  const characters = [...text];
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    pieces.push(characters.slice(at, start).join(""), characters.slice(start, end).join(""));
    at = end;
  }
  return [...pieces, characters.slice(at).join("")];
}
