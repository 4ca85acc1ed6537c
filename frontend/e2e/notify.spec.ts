import type { BrowserContext, Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test, url, type Person } from "./person";

/** As if nobody looked at any tab: Playwright has every page think that it has the focus. */
async function lookAway(context: BrowserContext) {
  await context.addInitScript(() => {
    Document.prototype.hasFocus = () => sessionStorage.getItem("looking") === "1";
  });
}

async function lookAt(page: Page, looks: boolean) {
  await page.evaluate((looks) => {
    sessionStorage.setItem("looking", looks ? "1" : "0");
    window.dispatchEvent(new Event(looks ? "focus" : "blur"));
  }, looks);
}

async function ring(person: Person, title: string) {
  const trigger_at = new Date(Date.now() + 500).toISOString();
  await api("POST", "/api/tasks", { title, reminders: [{ trigger_at }] }, person.token);
}

/** What the system shows. */
const shown = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title }) => title).sort();
  });

/** As long as a new tab, or a reminder, may take. */
const slowly = { timeout: 20_000 };

const unread = (page: Page, count: number) =>
  expect(page.getByRole("link", { name: `Notifications, ${count} unread` })).toBeVisible(slowly);

test.describe("allowed", () => {
  test.use({ permissions: ["notifications"] });

  test("a reminder is told by the system once, however many tabs there are", async ({ page, context }) => {
    const person = await newPerson();
    await lookAway(context);
    await signIn(page, person, "/tasks?view=all");
    const tabs = [await context.newPage(), await context.newPage()];
    for (const tab of tabs) await tab.goto(`${url()}/notifications`);
    for (const tab of tabs)
      await expect(tab.getByRole("heading", { name: "Nothing has rung yet" })).toBeVisible(slowly);
    await ring(person, "check the oven");
    for (const tab of [page, ...tabs]) await unread(tab, 1);
    await expect.poll(() => shown(page)).toEqual(["check the oven"]);
    for (const tab of [page, ...tabs]) await expect(tab.getByRole("status")).toHaveCount(0);

    // It goes when it is dealt with elsewhere.
    await api("POST", "/api/notifications/read-all", {}, person.token);
    await expect.poll(() => shown(page)).toEqual([]);
  });

  test("who looks at a tab sees it there, and not from the system", async ({ page, context }) => {
    const person = await newPerson();
    await lookAway(context);
    await signIn(page, person, "/tasks?view=all");
    const other = await context.newPage();
    await other.goto(`${url()}/tasks?view=all`);
    await expect(other.getByRole("heading", { name: "No tasks yet" })).toBeVisible(slowly);
    await lookAt(other, true);
    await ring(person, "feed the cat");
    await expect(other.getByRole("status")).toContainText("Reminder: feed the cat", slowly);
    await unread(page, 1);
    expect(await shown(page)).toEqual([]);
    await lookAt(other, false);
    await ring(person, "walk the dog");
    await expect.poll(() => shown(page), slowly).toEqual(["walk the dog"]);
    expect(await shown(page)).toEqual(["walk the dog"]);

    await other.getByRole("button", { name: "Open" }).click();
    await expect(other.getByRole("complementary", { name: "Task" }).getByLabel("Title")).toHaveValue("feed the cat");
    await unread(page, 1);
  });

  test("a click on it opens the task in the tab that is there", async ({ page, context }) => {
    const person = await newPerson();
    await lookAway(context);
    await signIn(page, person, "/notifications");
    await ring(person, "check the oven");
    await expect.poll(() => shown(page), slowly).toEqual(["check the oven"]);
    // As a string: the types here are those of a page.
    await context.serviceWorkers()[0]?.evaluate(`(async () => {
      const [notification] = await registration.getNotifications();
      dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    })()`);
    await expect(page.getByRole("complementary", { name: "Task" }).getByLabel("Title")).toHaveValue("check the oven");
    expect(context.pages()).toHaveLength(1);
    await expect.poll(() => shown(page)).toEqual([]);
  });
});

test("permission is asked for where a reminder is set, and only by a click", async ({ page, context }) => {
  await context.addInitScript(() => {
    let answer: NotificationPermission = "default";
    Object.defineProperty(Notification, "permission", { get: () => answer });
    Notification.requestPermission = async () => (answer = "granted");
  });
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  const beside = page.getByRole("button", { name: /^Allow notifications, to be told/ });
  await page.getByLabel("Add a task").fill("call mom tomorrow at 5pm");
  await page.keyboard.press("Enter");
  await row(page, "call mom")
    .getByRole("button", { name: /call mom/ })
    .first()
    .click();
  const task = page.getByRole("complementary", { name: "Task" });
  await expect(task.getByText("Tell me here when it rings")).toHaveCount(0);
  await expect(beside).toHaveCount(0);
  await task.getByRole("button", { name: "Add a reminder" }).click();
  await page.getByRole("menuitem", { name: "1 hour before" }).click();
  await expect(task.getByText("Tell me here when it rings")).toBeVisible();
  await expect(beside).toBeVisible();
  await task.getByRole("button", { name: "Allow notifications" }).click();
  await expect(page.getByRole("status")).toContainText("Reminders ring here from now on");
  await expect(task.getByText("Tell me here when it rings")).toHaveCount(0);
  await expect(beside).toHaveCount(0);
});

test("put off, it is asked in the inbox alone", async ({ page, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Notification, "permission", { get: () => "default" });
  });
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  const at = new Date(Date.now() + 86_400_000).toISOString();
  const body = { title: "call mom", reminders: [{ trigger_at: at }] };
  await api("POST", "/api/tasks", body, person.token);
  await row(page, "call mom")
    .getByRole("button", { name: /call mom/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByText("Tell me here when it rings")).toHaveCount(0);
  await page.goto(`${url()}/notifications`);
  await expect(page.getByRole("button", { name: "Allow notifications" })).toBeVisible();
});

test("a browser that was told not to says how to undo that", async ({ page, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Notification, "permission", { get: () => "denied" });
  });
  await signIn(page, await newPerson(), "/notifications");
  await expect(page.getByRole("region", { name: "Notifications of this browser" })).toContainText("Site settings");
});
