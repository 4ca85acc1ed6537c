import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { TaskSchema } from "@/gen/todo/v1/task_pb";

import { Replica } from "./state";

const task = (revision: number, title = `of ${revision}`) =>
  create(TaskSchema, { id: "a", title, revision: BigInt(revision) });
const titles = (replica: Replica) => [...replica.tasks().values()].map(({ title }) => title);

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

test("an effect is seen until it ends, whatever is heard meanwhile", () => {
  const replica = new Replica();
  replica.task(task(1));
  const effect = (tasks: Map<string, ReturnType<typeof task>>) => {
    const held = tasks.get("a");
    if (held) tasks.set("a", { ...held, title: "mine" });
  };
  replica.begin(effect);
  replica.task(task(2));
  expect(titles(replica)).toEqual(["mine"]);
  replica.end(effect);
  expect(titles(replica)).toEqual(["of 2"]);
});
