import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test, vi } from "vitest";

import { tasks } from "@/api/clients";
import { Priority, TaskSchema } from "@/gen/todo/v1/task_pb";
import { forget, hold } from "@/live/store";
import { toast } from "@/ui/toast";

import { undoLast, update, updateAll } from "./actions";

vi.mock("@/api/clients", () => ({
  tasks: { updateTask: vi.fn(), undoChange: vi.fn() },
  sentence: (error: Error) => error.message,
}));
vi.mock("@/ui/toast", () => ({ toast: vi.fn() }));
const server = vi.mocked(tasks);
const said = () => vi.mocked(toast).mock.calls.map(([text]) => text);

const one = create(TaskSchema, { id: "1", title: "one", priority: Priority.HIGH, revision: 7n });
const two = create(TaskSchema, { id: "2", title: "two", priority: Priority.LOW, revision: 8n });

beforeEach(() => {
  forget();
  vi.clearAllMocks();
  hold((replica) => [one, two].forEach((task) => replica.task(task)));
  server.undoChange.mockResolvedValue({ task: undefined, revision: 20n } as never);
});

const answer = (revision: bigint) => ({ ...one, revision }) as never;

test("what was so already is no change, and an undo does not take an earlier one back", async () => {
  server.updateTask.mockResolvedValue(answer(7n));
  await update(one, { priority: Priority.HIGH }, "Priority high");
  await undoLast();
  expect(server.undoChange).not.toHaveBeenCalled();
  expect(said()).toEqual(["Nothing to undo"]);
});

test("changes of several are undone as one, the last first", async () => {
  server.updateTask.mockResolvedValueOnce(answer(9n)).mockResolvedValueOnce({ ...two, revision: 10n } as never);
  const patch = { priority: Priority.MEDIUM };
  await updateAll(
    [one, two].map((task) => ({ task, patch })),
    "Both",
  );
  await undoLast();
  expect(server.undoChange.mock.calls.map(([request]) => request.revision)).toEqual([10n, 9n]);
  await undoLast();
  expect(said()).toEqual(["Both", "Undone: 2 changes", "Nothing to undo"]);
});

test("of several, those that were refused are said, and the others can be undone", async () => {
  server.updateTask
    .mockRejectedValueOnce(new Error("Not today."))
    .mockResolvedValueOnce({ ...two, revision: 10n } as never);
  const patch = { priority: Priority.MEDIUM };
  await updateAll(
    [one, two].map((task) => ({ task, patch })),
    "Both",
  );
  await undoLast();
  expect(server.undoChange.mock.calls.map(([request]) => request.revision)).toEqual([10n]);
  expect(said()).toEqual(["Not today.", "Both", "Undone"]);
});
