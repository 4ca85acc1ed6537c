import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { Anchor, RecurrenceSchema, RecurrenceType } from "@/gen/todo/v1/task_pb";

import { describe as words, ruleOf, weekFrom, withRule } from "./rule";

const rrule = (text: string) => create(RecurrenceSchema, { recurrenceType: RecurrenceType.RRULE, rrule: text });

test("rules are said in few words", () => {
  expect(words(create(RecurrenceSchema, { recurrenceType: RecurrenceType.DAILY }))).toBe("Daily");
  expect(words(rrule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"))).toBe("Weekdays");
  expect(words(rrule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"))).toBe("Every 2 weeks on Mon, Thu");
  expect(words(rrule("FREQ=MONTHLY;BYMONTHDAY=1"))).toBe("Monthly on the 1st");
  expect(words(rrule("FREQ=MONTHLY;BYMONTHDAY=-1"))).toBe("Monthly on the last day");
  expect(words({ ...rrule("FREQ=DAILY;INTERVAL=3"), anchor: Anchor.COMPLETION })).toBe("Every 3 days after done");
});

test("what the builder cannot show stays as it is", () => {
  for (const text of ["FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=3", "FREQ=HOURLY"]) {
    expect(ruleOf(rrule(text))).toEqual({ kind: "rrule", text });
    expect(withRule(undefined, ruleOf(rrule(text))).rrule).toBe(text);
  }
});

test("a rule of every few weeks says where its weeks begin, and keeps it", () => {
  const rule = ruleOf(rrule("FREQ=WEEKLY;BYDAY=SU,TU"));
  if (rule.kind !== "every") throw new Error("it can be shown");
  const every = (interval: number, days = rule.days) => withRule(undefined, { ...rule, interval, days }, "SU").rrule;
  expect([every(1), every(2)]).toEqual(["FREQ=WEEKLY;BYDAY=TU,SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU"]);
  expect(every(2, [])).toBe("FREQ=WEEKLY;INTERVAL=2");
  for (const text of ["FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SA"])
    expect(withRule(undefined, ruleOf(rrule(text)), "SU").rrule).toBe(text);
});

test("a week has its seven days from any of them", () => {
  expect(weekFrom(1).join()).toBe("MO,TU,WE,TH,FR,SA,SU");
  expect(weekFrom(7).join()).toBe("SU,MO,TU,WE,TH,FR,SA");
});

test("a rule is written as it was read, and keeps the end of the series", () => {
  for (const text of ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=15", "FREQ=YEARLY"]) {
    const written = withRule({ ...rrule(text), count: 4 }, ruleOf(rrule(text)));
    expect([written.rrule, written.count]).toEqual([text, 4]);
  }
});
