import type { Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test, type Person } from "./person";

const DAY = 86_400_000;

/** Noon in Berlin, some days from now. */
function noon(days: number) {
  const date = new Date(Date.now() + days * DAY).toLocaleDateString("sv", { timeZone: "Europe/Berlin" });
  const zone = new Date(`${date}T12:00Z`).toLocaleTimeString("en", { timeZone: "Europe/Berlin", hour: "2-digit" });
  return `${date}T12:00:00+0${zone.startsWith("02") ? 2 : 1}:00`;
}
const utc = (at: string) => new Date(at).toISOString().replace(".000Z", "Z");
const heading = (days: number) => {
  const at = new Date(Date.now() + days * DAY);
  return at.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/Berlin" });
};
const headingOf = (page: Page, days: number) => page.getByRole("heading", { level: 2, name: heading(days) });

async function dueOf(person: Person, title: string) {
  const { tasks } = (await api("GET", `/api/tasks?search=${title}`, undefined, person.token)) as {
    tasks: { due_date: string; due_all_day: boolean; recurrence: { recurrence_type: string } | null }[];
  };
  return tasks[0];
}

async function withTasks(page: Page, ...titles: string[]) {
  const person = await newPerson();
  for (const title of titles)
    await api(
      "POST",
      "/api/tasks",
      { title, due_date: noon(1), recurrence: { recurrence_type: "daily" } },
      person.token,
    );
  await signIn(page, person, "/tasks?view=upcoming");
  await row(page, titles[0] ?? "").waitFor();
  return person;
}

async function middle(page: Page, title: string) {
  const { x, y, width, height } = (await row(page, title).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { x: x + width / 3, y: y + height / 2 };
}

test("a task is dragged to an empty day, keeps its time and recurrence, and comes back", async ({ page }) => {
  const person = await withTasks(page, "dentist");
  const from = await middle(page, "dentist");
  await page.mouse.move(from.x, from.y);
  await page.locator("[data-scroll][data-drags]").waitFor();
  await page.mouse.down();
  const to = await headingOf(page, 3).boundingBox();
  await page.mouse.move(from.x, from.y + 20);
  await page.mouse.move(from.x, (to?.y ?? 0) + 20, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByText(/^Moved “dentist” to/).first()).toBeVisible();
  await expect(page).not.toHaveURL(/task=/);
  await expect
    .poll(() => dueOf(person, "dentist"))
    .toMatchObject({ due_date: utc(noon(3)), due_all_day: false, recurrence: { recurrence_type: "daily" } });
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => dueOf(person, "dentist")).toMatchObject({ due_date: utc(noon(1)) });
});

test("Esc ends a drag, and a click that follows opens", async ({ page }) => {
  const person = await withTasks(page, "dentist");
  const from = await middle(page, "dentist");
  await page.mouse.move(from.x, from.y);
  await page.locator("[data-scroll][data-drags]").waitFor();
  await page.mouse.down();
  await page.mouse.move(from.x, from.y + 120, { steps: 5 });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await expect(page).not.toHaveURL(/task=/);
  expect(await dueOf(person, "dentist")).toMatchObject({ due_date: utc(noon(1)) });
  await page.mouse.click(from.x, from.y);
  await expect(page).toHaveURL(/task=/);
});

test("several are moved by keys, and undone as one", async ({ page }) => {
  const person = await withTasks(page, "one", "two", "three");
  for (const key of "jxjxm") await page.keyboard.press(key);
  await expect(page.getByRole("dialog", { name: "Move 2 tasks to" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^1?\s*Today\s*\S+ \d/ })).toBeFocused();
  await page.keyboard.press("1");
  await expect(page.getByText("Moved 2 tasks to Today").first()).toBeVisible();
  const dues = async () => {
    const all = await Promise.all(["one", "two", "three"].map((title) => dueOf(person, title)));
    return all.map((task) => task?.due_date).sort();
  };
  await expect.poll(dues).toEqual([utc(noon(0)), utc(noon(0)), utc(noon(1))]);
  await expect(page.getByRole("toolbar", { name: "Chosen tasks" })).toHaveCount(0);
  await expect(row(page, "two").getByRole("button", { name: "priority two" })).toBeFocused();
  await page.keyboard.press("z");
  await expect.poll(dues).toEqual([utc(noon(1)), utc(noon(1)), utc(noon(1))]);
});

test("the palette moves the task where the keyboard is", async ({ page }) => {
  const person = await withTasks(page, "dentist");
  await page.keyboard.press("j");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("move");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Move “dentist” to" })).toBeVisible();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect.poll(() => dueOf(person, "dentist")).toMatchObject({ due_date: null });
});

test.describe("by touch", () => {
  test.use({ viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true });

  test("a long press takes a task to another day, and a short one scrolls", async ({ page, context }) => {
    const person = await withTasks(page, "dentist");
    await page.locator("[data-scroll][data-drags]").waitFor();
    const from = await middle(page, "dentist");
    const to = await headingOf(page, 4).boundingBox();
    const touch = await context.newCDPSession(page);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", y?: number) =>
      touch.send("Input.dispatchTouchEvent", { type, touchPoints: y === undefined ? [] : [{ x: from.x, y }] });
    await send("touchStart", from.y);
    await expect(page.locator("[data-badge]")).toBeVisible();
    for (const part of [0.3, 0.6, 1]) await send("touchMove", from.y + ((to?.y ?? 0) + 20 - from.y) * part);
    await expect(page.locator("[data-badge]")).toContainText(/\S{3}$/);
    await send("touchEnd");
    await expect.poll(() => dueOf(person, "dentist")).toMatchObject({ due_date: utc(noon(4)) });
    await expect(page).not.toHaveURL(/task=/);
  });
});
