import type { BrowserContext, Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test, url, type Person } from "./person";

test.use({ serviceWorkers: "allow" });

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
    const withSign = (await registration.getNotifications()).filter(({ icon }) => icon.endsWith("/icon-192.png"));
    return withSign.map(({ title }) => title).sort();
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
    for (const tab of [page, ...tabs]) await expect(tab.getByText("Reminder: check the oven")).toHaveCount(0);

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
    const said = other.getByRole("status").filter({ hasText: "Reminder: feed the cat" });
    await said.getByRole("button", { name: "Open" }).click(slowly);
    const title = other.getByRole("complementary", { name: "Task" }).getByLabel("Title");
    await expect(title).toHaveValue("feed the cat", slowly);
    // By that it is read.
    await expect(page.getByRole("link", { name: "Notifications", exact: true })).toBeVisible(slowly);
    expect(await shown(page)).toEqual([]);
    await lookAt(other, false);
    await ring(person, "walk the dog");
    await expect.poll(() => shown(page), slowly).toEqual(["walk the dog"]);
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
    await expect(page.getByRole("complementary", { name: "Task" }).getByLabel("Title")).toHaveValue(
      "check the oven",
      slowly,
    );
    expect(context.pages()).toHaveLength(1);
    await expect.poll(() => shown(page), slowly).toEqual([]);
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
  await expect(page.getByText("Reminders ring here from now on")).toBeVisible();
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

test.describe("pushed", () => {
  test.use({ permissions: ["notifications"] });

  /** Brings the worker messages as the push service would. */
  async function courier(page: Page) {
    const session = await page.context().newCDPSession(page);
    const registered = new Promise<string>((done) =>
      session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        if (registrations[0]) done(registrations[0].registrationId);
      }),
    );
    await session.send("ServiceWorker.enable");
    const [registrationId, { origin }] = [await registered, new URL(url())];
    return (message: object) =>
      session.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: JSON.stringify(message) });
  }

  test("a reminder that is pushed is shown once, and not to who looks at the page", async ({ page, context }) => {
    const person = await newPerson();
    await lookAway(context);
    await signIn(page, person, "/notifications");
    await ring(person, "check the oven");
    await expect.poll(() => shown(page), slowly).toEqual(["check the oven"]);
    const { notifications } = (await api("GET", "/api/notifications", undefined, person.token)) as {
      notifications: { id: string; task_id: string; triggered_at: string }[];
    };
    const { id: notification, task_id: task, triggered_at: when } = notifications[0]!;
    const deliver = await courier(page);
    await deliver({ title: "feed the cat", task, notification: "seen", when });
    await page.goto("about:blank");
    // That the page has shown, and one more.
    await deliver({ title: "check the oven", task, notification, when });
    await deliver({ title: "walk the dog", task, notification: "another", when });
    await page.goto(`${url()}/api/docs`);
    await expect.poll(() => shown(page), slowly).toEqual(["check the oven", "walk the dog"]);
  });

  test("it is turned on and off in the inbox, and ends with the session", async ({ page, context }) => {
    // There is no push service here, and no browser that would reach one.
    await context.addInitScript(() => {
      const asked = Object.assign(window, { asked: [] as string[] }).asked;
      const subscription = (key: string) => ({
        endpoint: "https://push.example.com/a",
        options: {
          applicationServerKey: Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
            c.charCodeAt(0),
          ).buffer,
        },
        toJSON: () => ({ endpoint: "https://push.example.com/a", keys: { p256dh: "BA", auth: "AA" } }),
        unsubscribe: async () => {
          asked.push("unsubscribed");
          sessionStorage.removeItem("key");
        },
      });
      PushManager.prototype.getSubscription = async () => {
        const key = sessionStorage.getItem("key");
        return (key ? subscription(key) : null) as PushSubscription | null;
      };
      PushManager.prototype.subscribe = async (options) => {
        const key = String(options?.applicationServerKey);
        sessionStorage.setItem("key", key);
        return subscription(key) as unknown as PushSubscription;
      };
    });
    const calls: string[] = [];
    await context.route(/\/(Uns|S)ubscribePush$/, async (route) => {
      calls.push(route.request().url().split("/").at(-1)!);
      const trailer = Buffer.from("grpc-status: 0\r\n");
      const body = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0x80, 0, 0, 0, trailer.length]), trailer]);
      await route.fulfill({ contentType: "application/grpc-web+proto", body });
    });
    await signIn(page, await newPerson(), "/notifications");
    const settings = page.getByRole("region", { name: "Notifications of this browser" });
    await settings.getByRole("button", { name: "While it is closed too" }).click();
    await expect(settings).toContainText("while Todo is closed too");
    expect(calls).toEqual(["SubscribePush"]);
    // The server is told again at each visit: it may have forgotten.
    await page.reload();
    await expect(settings).toContainText("while Todo is closed too");
    await expect.poll(() => calls).toEqual(["SubscribePush", "SubscribePush"]);
    await settings.getByRole("button", { name: "Only while it is open" }).click();
    await expect(settings).toContainText("while Todo is open");
    await settings.getByRole("button", { name: "While it is closed too" }).click();
    await expect(settings).toContainText("while Todo is closed too");
    await page.getByRole("button", { name: /Ann Example/ }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await expect(page).toHaveURL(/signin/);
    expect(calls.slice(2)).toEqual(["UnsubscribePush", "SubscribePush", "UnsubscribePush"]);
  });
});
