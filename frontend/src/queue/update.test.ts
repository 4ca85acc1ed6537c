import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";

import { tasks } from "@/api/clients";
import { Priority, TaskSchema } from "@/gen/todo/v1/task_pb";
import { hold } from "@/live/store";

import { send } from "./send";

vi.mock("@/api/clients", () => ({ tasks: { updateTask: vi.fn() }, onlyFor: () => undefined }));
const task = create(TaskSchema, { id: "1", title: "one", priority: Priority.HIGH, revision: 7n });
const item = {
  id: "i",
  at: 0,
  change: { kind: "update", id: "1", title: "one", patch: { priority: Priority.HIGH } },
} as const;

test("what was so already is no change, and an undo of it does not take an earlier one back", async () => {
  hold((replica) => replica.task(task));
  vi.mocked(tasks.updateTask).mockResolvedValueOnce(task);
  expect(await send(item, "ann")).toEqual({ tasks: [task] });
  vi.mocked(tasks.updateTask).mockResolvedValueOnce({ ...task, revision: 8n });
  expect(await send(item, "ann")).toMatchObject({ revisions: [8n] });
});
