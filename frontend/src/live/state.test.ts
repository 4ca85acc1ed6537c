import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";

import { NotificationSchema } from "@/gen/todo/v1/notification_service_pb";
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

test("a notification rings once, and again when it was snoozed, but not when it is read or put off", () => {
  const replica = new Replica();
  const at = (seconds: number) => create(TimestampSchema, { seconds: BigInt(seconds) });
  const heard = (revision: number, more: MessageInitShape<typeof NotificationSchema> = {}) =>
    replica.notification(
      create(NotificationSchema, { id: "n", triggeredAt: at(10), ...more, revision: BigInt(revision) }),
    );
  expect(heard(1)).toBe(true);
  expect(heard(1)).toBe(false);
  expect(heard(2, { snoozedUntil: at(20) })).toBe(false);
  expect(heard(4, { triggeredAt: at(20) })).toBe(true);
  expect(heard(3, { triggeredAt: at(30) })).toBe(false);
  expect(heard(5, { triggeredAt: at(30), readAt: at(31) })).toBe(false);
});
