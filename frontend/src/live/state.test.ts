import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { TaskSchema } from "@/gen/todo/v1/task_pb";

import { Replica } from "./state";

const task = (revision: number, title = `of ${revision}`) =>
  create(TaskSchema, { id: "a", title, revision: BigInt(revision) });
const titles = (replica: Replica) => [...replica.view().tasks.values()].map(({ title }) => title);

test("the highest revision holds, in whatever order they come", () => {
  const replica = new Replica();
  for (const revision of [2, 3, 1]) replica.task(task(revision));
  expect(titles(replica)).toEqual(["of 3"]);
});

test("what was deleted does not come back by an older page, but by an undo", () => {
  const replica = new Replica();
  replica.remove("a", 4n);
  replica.task(task(3));
  expect(titles(replica)).toEqual([]);
  replica.task(task(5));
  expect(titles(replica)).toEqual(["of 5"]);
  replica.remove("a", 4n);
  expect(titles(replica)).toEqual(["of 5"]);
});

test("what was kept of an earlier visit is shown until all has been heard, and never over what was", () => {
  const replica = new Replica();
  replica.keep(task(1));
  replica.keep(create(TaskSchema, { id: "b", title: "gone meanwhile", revision: 2n }));
  replica.task(task(3));
  replica.keep(task(1));
  expect(titles(replica)).toEqual(["of 3", "gone meanwhile"]);
  replica.settle();
  expect(titles(replica)).toEqual(["of 3"]);
});

test("what has changed is told once", () => {
  const replica = new Replica();
  replica.task(task(1));
  expect(replica.changes()).toEqual({ changed: [task(1)], gone: [] });
  replica.remove("a", 2n);
  expect(replica.changes()).toEqual({ changed: [], gone: ["a"] });
  expect(replica.changes()).toEqual({ changed: [], gone: [] });
});
