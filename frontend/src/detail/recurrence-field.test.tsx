// @vitest-environment happy-dom
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { tasks } from "@/api/clients";
import { Anchor, RecurrenceSchema, RecurrenceType, TaskSchema } from "@/gen/todo/v1/task_pb";
import { stamp } from "@/tasks/task";

import { RecurrenceField } from "./recurrence-field";

vi.mock("@/api/clients", () => ({
  tasks: { previewOccurrences: vi.fn() },
  sentence: (error: Error) => error.message,
}));
const preview = vi.mocked(tasks.previewOccurrences);

const due = Date.parse("2026-03-04T09:00:00Z");
const save = vi.fn();

beforeEach(() => {
  const next = [1, 2, 3, 4, 5].map((days) => stamp(due + days * 86_400_000));
  preview.mockResolvedValue({ occurrences: next } as never);
});
afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

function open(recurrence?: MessageInitShape<typeof RecurrenceSchema>) {
  const rule = recurrence && create(RecurrenceSchema, { ...recurrence, active: true });
  render(
    <RecurrenceField task={create(TaskSchema, { id: "1", dueDate: stamp(due), recurrence: rule })} onSave={save} />,
  );
  return userEvent.setup();
}

test("a rule is chosen, built in parts with its next five dates, and saved", async () => {
  const user = open();
  await user.click(screen.getByRole("button", { name: "Repeat it" }));
  await user.click(await screen.findByRole("menuitem", { name: "Weekly" }));
  expect((await screen.findByRole("list", { name: "Next dates" })).children).toHaveLength(5);
  const interval = screen.getByLabelText("Interval");
  await user.clear(interval);
  await user.type(interval, "2", { initialSelectionStart: 0, initialSelectionEnd: 1 });
  for (const day of ["Fri", "Mon"]) await user.click(screen.getByRole("button", { name: day }));
  await user.click(screen.getByLabelText("Count from when it was done"));
  await user.selectOptions(screen.getByLabelText("Ends"), "after a number");
  await waitFor(() => expect(preview.mock.lastCall?.[0].recurrence).toMatchObject({ count: 10 }));
  expect(save).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(save.mock.lastCall?.[0].recurrence).toMatchObject({
    recurrenceType: RecurrenceType.RRULE,
    rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    anchor: Anchor.COMPLETION,
    count: 10,
  });
});

test("why a rule has no dates is said while it is written", async () => {
  const user = open({ recurrenceType: RecurrenceType.CUSTOM, cronExpression: "0 9 * * 1" });
  await user.click(screen.getByRole("button", { name: "0 9 * * 1" }));
  preview.mockRejectedValue(new Error("The hour is at most 23."));
  const cron = screen.getByLabelText("Cron expression");
  await user.clear(cron);
  await user.type(cron, "0 24 * * *");
  expect((await screen.findByRole("alert")).textContent).toBe("The hour is at most 23.");
  expect(preview.mock.lastCall?.[0].recurrence).toMatchObject({ cronExpression: "0 24 * * *" });
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(save).not.toHaveBeenCalled();
  screen.getByRole("button", { name: "0 9 * * 1" });
});

test("a monthly rule says its day, and another unit forgets it", async () => {
  const user = open({ recurrenceType: RecurrenceType.RRULE, rrule: "FREQ=MONTHLY;BYMONTHDAY=1" });
  await user.click(screen.getByRole("button", { name: "Monthly on the 1st" }));
  await user.selectOptions(screen.getByLabelText("On day"), "the last one");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(save.mock.lastCall?.[0].recurrence).toMatchObject({ rrule: "FREQ=MONTHLY;BYMONTHDAY=-1" });
  await user.click(screen.getByRole("button", { name: "Monthly on the 1st" }));
  await user.selectOptions(screen.getByLabelText("Unit"), "day");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(save.mock.lastCall?.[0].recurrence).toMatchObject({ recurrenceType: RecurrenceType.DAILY, rrule: undefined });
});

test("a recurrence is cleared, which is said", async () => {
  const user = open({ recurrenceType: RecurrenceType.DAILY });
  await user.click(screen.getByRole("button", { name: "Clear the recurrence" }));
  expect(save).toHaveBeenCalledWith({ recurrence: undefined }, "Does not repeat");
});
