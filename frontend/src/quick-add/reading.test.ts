import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { ParseTaskResponseSchema, SpanKind, SpanSchema, type Span } from "@/gen/todo/v1/task_service_pb";
import { Priority, RecurrenceSchema, RecurrenceType, ReminderSchema } from "@/gen/todo/v1/task_pb";
import { stamp } from "@/tasks/task";
import { clock } from "@/time/clock";

import { marked, parts, quote, units } from "./reading";

const text = "🎉 pay rent every 1st at 9am #home !high";
const span = (kind: SpanKind, part: string): Span => {
  const start = [...text.slice(0, text.indexOf(part))].length;
  return create(SpanSchema, { kind, start, end: start + [...part].length, text: part });
};
const spans = [
  span(SpanKind.RECURRENCE, "every 1st at 9am"),
  span(SpanKind.TAG, "#home"),
  span(SpanKind.PRIORITY, "!high"),
];
const now = clock(Date.parse("2026-03-04T10:00:00Z"), "UTC");

test("every part is named, with where it stands", () => {
  const read = create(ParseTaskResponseSchema, {
    dueDate: stamp(Date.parse("2026-03-05T09:00:00Z")),
    recurrence: create(RecurrenceSchema, { recurrenceType: RecurrenceType.RRULE, rrule: "FREQ=MONTHLY;BYMONTHDAY=1" }),
    reminders: [create(ReminderSchema, { beforeDueSeconds: 3600n })],
    priority: Priority.HIGH,
    tags: ["home"],
    spans,
  });
  expect(parts(read, now).map(({ kind, label }) => [kind, label])).toEqual([
    ["due", "Tomorrow 9:00 AM"],
    ["recurrence", "Monthly on the 1st"],
    ["reminder", "1 hour before"],
    ["priority", "High"],
    ["tag", "home"],
  ]);
});

test("characters beyond the basic plane do not move the marks", () => {
  expect(marked(text, spans)).toEqual(["🎉 pay rent ", "every 1st at 9am", " ", "#home", " ", "!high", ""]);
  const [start, end] = units(text, spans[1] as Span);
  expect(text.slice(start, end)).toBe("#home");
});

test("what is taken away is quoted", () => {
  expect(quote(text, spans.slice(0, 2))).toBe('🎉 pay rent "every 1st at 9am" "#home" !high');
});
