// @vitest-environment happy-dom
import { create } from "@bufbuild/protobuf";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useRef } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { tasks } from "@/api/clients";
import { ParseTaskResponseSchema, SpanKind, SpanSchema } from "@/gen/todo/v1/task_service_pb";
import { Priority, RecurrenceSchema, RecurrenceType, ReminderSchema } from "@/gen/todo/v1/task_pb";
import type { Change } from "@/queue/change";
import { CountsProvider } from "@/shell/counts";
import { read } from "@/tasks/query";
import { millis, stamp } from "@/tasks/task";
import { clock } from "@/time/clock";

import { QuickAdd } from "./quick-add";

vi.mock("@/api/clients", () => ({
  tasks: { parseTask: vi.fn(), previewOccurrences: vi.fn() },
  sentence: (error: Error) => error.message,
}));
vi.mock("@/shell/shell", () => ({ useShell: () => ({ user: { id: "ann" } }) }));
vi.mock("@/queue/use-away", () => ({ useAway: () => false }));
const push = vi.hoisted(() => vi.fn<(change: Change) => string>());
vi.mock("@/queue/outbox", () => ({ push, undoing: () => [] }));
const server = vi.mocked(tasks);

const { today, tomorrow } = clock(Date.now(), "UTC");
const NINE = 9 * 3_600_000;
const words: [text: string, kind: SpanKind][] = [
  ["tomorrow at 9am", SpanKind.DUE],
  ["every day", SpanKind.RECURRENCE],
  ["remind me 1 hour before", SpanKind.REMINDER],
  ["#home", SpanKind.TAG],
  ["!high", SpanKind.PRIORITY],
];

/** Reads those words, unless they are in quotes. */
function parse(text: string) {
  const found = words.filter(([word]) => text.includes(word) && !text.includes(`"${word}"`));
  const has = (kind: SpanKind) => found.some(([, one]) => one === kind);
  const spans = found.map(([word, kind]) => {
    const start = text.indexOf(word);
    return create(SpanSchema, { kind, text: word, start, end: start + word.length });
  });
  const recurrence = create(RecurrenceSchema, { recurrenceType: RecurrenceType.DAILY });
  return create(ParseTaskResponseSchema, {
    title: found.reduce((left, [word]) => left.replace(word, ""), text).trim(),
    dueDate: has(SpanKind.DUE) ? stamp(tomorrow + NINE) : undefined,
    recurrence: has(SpanKind.RECURRENCE) ? recurrence : undefined,
    reminders: has(SpanKind.REMINDER) ? [create(ReminderSchema, { beforeDueSeconds: 3600n })] : [],
    priority: has(SpanKind.PRIORITY) ? Priority.HIGH : Priority.MEDIUM,
    tags: has(SpanKind.TAG) ? ["home"] : [],
    spans: spans.sort((a, b) => a.start - b.start),
  });
}

beforeEach(() => {
  server.parseTask.mockImplementation(async ({ text }) => parse(text ?? ""));
  server.previewOccurrences.mockResolvedValue({ occurrences: [] } as never);
});
afterEach(() => {
  cleanup();
  sessionStorage.clear();
  vi.clearAllMocks();
});

function Page() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <CountsProvider>
      <QuickAdd query={read(new URLSearchParams("view=all"))} input={input} />
    </CountsProvider>
  );
}

async function write(text: string) {
  const user = userEvent.setup();
  render(<Page />);
  const line = screen.getByLabelText<HTMLInputElement>("Add a task");
  await user.type(line, text);
  await screen.findByRole("list", { name: "Understood" });
  return { user, line };
}

const chip = (name: string | RegExp) =>
  within(screen.getByRole("list", { name: "Understood" })).findByRole("button", { name });
const editor = (name: string) => screen.findByRole("dialog", { name });

/** What the server was last asked to make. */
async function made() {
  await waitFor(() => expect(push).toHaveBeenCalled());
  const change = push.mock.lastCall?.[0];
  return change?.kind === "create" ? change.task : undefined;
}

test("a date is corrected, and stands although the text says otherwise and goes on", async () => {
  const { user, line } = await write("rent tomorrow at 9am");
  await user.click(await chip("Tomorrow 9:00 AM"));
  await user.click(within(await editor("Due")).getByRole("button", { name: "Today" }));
  await chip("Today 9:00 AM");
  await user.keyboard("{Escape}");
  await user.type(line, " #home");
  await chip("home");
  await user.keyboard("{Enter}");
  const task = await made();
  expect(task).toMatchObject({ title: "rent", tags: ["home"], dueAllDay: false });
  expect(millis(task?.dueDate as never)).toBe(today + NINE);
});

test("priority, tags and reminders open the editors of a task", async () => {
  const { user, line } = await write("rent tomorrow at 9am #home !high remind me 1 hour before");
  await user.click(await chip("High"));
  await user.click(within(await editor("Priority")).getByRole("radio", { name: "Low" }));
  await user.keyboard("{Escape}");
  await user.click(await chip("home"));
  await user.type(within(await editor("Tags")).getByLabelText("Add a tag"), "money{Enter}");
  await user.keyboard("{Escape}");
  await user.click(await chip("1 hour before"));
  await user.click(
    within(await editor("Reminders")).getByRole("button", { name: "Remove the reminder 1 hour before" }),
  );
  await user.keyboard("{Escape}");
  await user.type(line, "{Enter}");
  expect(await made()).toMatchObject({ priority: Priority.LOW, tags: ["home", "money"], reminders: [] });
});

test("a recurrence is built at its chip", async () => {
  const { user, line } = await write("stretch every day");
  await user.click(await chip("Daily"));
  const builder = within(await editor("Repeat"));
  await user.selectOptions(builder.getByLabelText("Unit"), "week");
  await user.click(builder.getByRole("button", { name: "Tue" }));
  await chip("Weekly on Tue");
  await user.keyboard("{Escape}");
  await user.type(line, "{Enter}");
  expect((await made())?.recurrence).toMatchObject({ rrule: "FREQ=WEEKLY;BYDAY=TU" });
});

test("what was part of the title is taken as words, also after it was corrected", async () => {
  const { user, line } = await write("watch tomorrow at 9am #home");
  await user.click(await chip("Tomorrow 9:00 AM"));
  await user.click(within(await editor("Due")).getByRole("button", { name: "Today" }));
  await user.keyboard("{Escape}");
  await user.click(await screen.findByRole("button", { name: "Take Today 9:00 AM as words" }));
  expect(line.value).toBe('watch "tomorrow at 9am" #home');
  expect(document.activeElement).toBe(line);
  await waitFor(() => expect(screen.queryByText(/9:00/)).toBeNull());
  await user.type(line, "{Enter}");
  const task = await made();
  expect(task).toMatchObject({ tags: ["home"] });
  expect(task?.dueDate).toBeUndefined();
});

test("by keys alone: to a chip, into its editor, back, and away with it", async () => {
  const { user, line } = await write("rent !high #home");
  await chip("High");
  await user.tab();
  expect(document.activeElement).toBe(await chip("High"));
  await user.keyboard("{Enter}");
  await editor("Priority");
  await user.keyboard("{Escape}");
  expect(document.activeElement).toBe(await chip("High"));
  expect(line.value).toBe("rent !high #home");
  await user.keyboard("{Delete}");
  expect(line.value).toBe('rent "!high" #home');
  expect(document.activeElement).toBe(line);
});

test("what was chosen stands for a line that is not read yet, and is gone with it", async () => {
  const { user, line } = await write("rent !high");
  await user.click(await chip("High"));
  await user.click(within(await editor("Priority")).getByRole("radio", { name: "Low" }));
  await user.keyboard("{Escape}");
  await user.type(line, " soon{Enter}");
  const chosen = { kind: "line", line: "rent !high soon", corrections: { priority: Priority.LOW } };
  expect(push).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(chosen));
  expect(line.value).toBe("");
  await user.type(line, "more !high");
  await chip("High");
});
