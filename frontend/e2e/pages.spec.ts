import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { api, expect, newPerson, signIn, test, url, type Person } from "./person";

const lines = [
  "pay rent every 1st at 9am #home #money !high, remind me 1 hour before",
  "call mom today at 23:30 #family",
  "finish the quarterly report tomorrow at 5pm #work #urgent #finance #q4 !high // Numbers from Berlin are still missing",
  "water plants every 3 days #home",
  "stretch every day at 7am #health",
  "groceries today #home // Oat milk, bread, tomatoes",
  "reply to Sam about the offer tomorrow at 10 #work",
  "dentist next friday 10:30 !high remind me 1 day before",
  "team retro every 2 weeks on thursday at 15:00 #work",
  "birthday present for Lena in 3 days #family // She likes ceramics",
  "book flights to Lisbon in 2 weeks #travel !low // Direct, not before 9",
  "renew passport in 6 weeks #travel",
  "submit expense report yesterday #work !high",
  "back up photos 3 days ago #home",
  "read “The Overstory” #books !low",
];

type Reading = Record<string, unknown> & {
  reminders: { before_due_seconds: number }[];
  recurrence: { recurrence_type: string; rrule: string | null } | null;
};

/** A person whose pages are not empty. */
async function busyPerson(): Promise<Person> {
  const person = await newPerson();
  const ids: string[] = [];
  for (const text of lines) {
    const read = (await api("POST", "/api/tasks/parse", { text }, person.token)) as Reading;
    const { title, description, priority, tags, due_date, due_all_day } = read;
    const { recurrence_type, rrule } = read.recurrence ?? {};
    const recurrence = recurrence_type ? { recurrence_type, rrule } : null;
    const reminders = read.reminders.map(({ before_due_seconds }) => ({ before_due_seconds }));
    const task = { title, description, priority, tags, due_date, due_all_day, recurrence, reminders };
    const { id } = (await api("POST", "/api/tasks", task, person.token)) as { id: string };
    ids.push(id);
  }
  await api("PATCH", `/api/tasks/${ids[2]}`, { status: "in_progress" }, person.token);
  await api("POST", `/api/tasks/${ids.at(-1)}/complete`, {}, person.token);
  await api("POST", "/api/auth/tokens", { name: "Laptop agent", scopes: ["write"] }, person.token);
  const trigger_at = new Date(Date.now() + 500).toISOString();
  await api("POST", "/api/tasks", { title: "check the oven", reminders: [{ trigger_at }] }, person.token);
  return person;
}

type Show = (page: Page) => Promise<void>;
const list = (page: Page) => page.getByRole("list", { name: "Tasks" });
const go =
  (path: string, then: Show = (page) => list(page).waitFor()): Show =>
  async (page) => {
    await page.goto(url() + path);
    await then(page);
  };

const pages: Record<string, Show> = {
  today: go("/tasks?view=today"),
  upcoming: go("/tasks?view=upcoming"),
  all: go("/tasks?view=all"),
  "quick-add": go("/tasks?view=all", async (page) => {
    await page.getByLabel("Add a task").fill("pay rent every 1st at 9am #home !high, remind me 1 hour before");
    await page.getByRole("list", { name: "Understood" }).waitFor();
  }),
  "quick-add-date": async (page) => {
    await page.getByRole("list", { name: "Understood" }).getByRole("button").first().click();
    await page.getByRole("dialog", { name: "Due" }).waitFor();
  },
  "quick-add-rule": async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Monthly on the 1st", exact: true }).click();
    await page.getByRole("list", { name: "Next dates" }).waitFor();
  },
  task: go("/tasks?view=all", async (page) => {
    // What was typed is kept, and takes room.
    await page.getByLabel("Add a task").fill("");
    const rent = list(page).getByRole("button", { name: /priority pay rent/ });
    await list(page).waitFor();
    // Below the fold it is not drawn.
    if (!(await rent.isVisible())) await page.locator("[data-scroll]").evaluate((box) => box.scrollTo(0, 9_999));
    await rent.click();
    await page.getByText("Next: ").waitFor();
  }),
  move: go("/tasks?view=upcoming", async (page) => {
    await list(page).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("m");
    await page.getByRole("grid").waitFor();
  }),
  palette: go("/tasks?view=all", async (page) => {
    await list(page).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("option").first().waitFor();
  }),
  empty: go("/tasks?view=all&q=nothing", (page) => page.getByText("Nothing matches").waitFor()),
  "chat-new": go("/chat", (page) => page.getByRole("list", { name: "Examples" }).waitFor()),
  chat: go("/chat", async (page) => {
    const rent = "pay rent every 1st at 9am #home !high, remind me 1 hour before";
    await talk(page, rent, "my high priority tasks", "delete expense report");
  }),
  "chat-call": async (page) => {
    const call = page.getByRole("button", { name: /Add a task/ }).first();
    await call.click();
    await call.scrollIntoViewIfNeeded();
  },
  dashboard: go("/dashboard", (page) => page.getByRole("list", { name: "Recent messages" }).waitFor()),
  "dashboard-table": async (page) => {
    for (const table of await page.getByText("As a table").all()) await table.click();
  },
  trace: go("/dashboard", async (page) => {
    await page.getByRole("link", { name: /pay rent/ }).click();
    await page
      .getByRole("list", { name: "Decisions" })
      .getByRole("button", { name: /^Add a task/ })
      .click();
    await page.getByRole("button", { name: "Show JSON" }).click();
  }),
  notifications: go("/notifications", (page) => page.getByRole("list", { name: "Notifications" }).waitFor()),
  account: go("/account", (page) => page.getByRole("list", { name: "Access tokens" }).waitFor()),
  "account-token": async (page) => {
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Token name").fill("Phone");
    await page.getByRole("button", { name: "Make token" }).click();
    await page.getByRole("group", { name: "For Claude Code" }).scrollIntoViewIfNeeded();
  },
  "account-zone": go("/account", async (page) => {
    await page.getByRole("button", { name: /Time zone/ }).click();
    await page.getByRole("listbox", { name: "Time zones" }).waitFor();
  }),
  "account-delete": go("/account", async (page) => {
    await page.getByRole("button", { name: /Delete the account/ }).click();
    await page.getByRole("button", { name: "Delete for good" }).scrollIntoViewIfNeeded();
  }),
  offline: go("/tasks?view=all", async (page) => {
    await list(page).waitFor();
    await page.context().setOffline(true);
    await page.getByText("Offline, changes are kept").waitFor();
    for (const line of ["#errands", "send the parcel tomorrow at 10 #errands"]) {
      await page.getByLabel("Add a task").fill(line);
      await page.keyboard.press("Enter");
    }
    await page.getByLabel("Add a task").fill("call the plumber on frid");
    await page.getByText("2 to send").waitFor();
  }),
  refused: async (page) => {
    await page.context().setOffline(false);
    await page.getByText("1 change was refused").waitFor();
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("list", { name: "Refused changes" }).waitFor();
  },
};
/** Says things to the assistant, one after the other. */
async function talk(page: Page, ...messages: string[]) {
  for (const text of messages) {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("log")).toContainText(text);
    await expect(page.getByRole("log")).toHaveAttribute("aria-busy", "false");
  }
}
const open: Record<string, Show> = {
  start: go("/", (page) => page.getByRole("heading", { level: 1 }).waitFor()),
  "sign-in": go("/signin", (page) => page.getByLabel("E-mail").waitFor()),
  "sign-up": go("/signup", (page) => page.getByLabel("E-mail").waitFor()),
};

/** Everything that must hold of any page as it stands. */
async function inspect(page: Page, name: string) {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))),
  );
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map(
    ({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
  );
  expect.soft(found).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
}

const folder = process.env.SCREENSHOTS;

for (const colorScheme of ["dark", "light"] as const) {
  for (const width of [1440, 375, 320]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: width < 600 ? 740 : 900 }, hasTouch: width < 600 });
      // What the browser itself says while it is offline.
      test.use({ expected: /ERR_INTERNET_DISCONNECTED/ });

      test("every page is accessible and fits", async ({ page }) => {
        test.setTimeout(300_000);
        const shoot = async (shown: [string, Show][]) => {
          for (const [name, show] of shown) {
            await show(page);
            await inspect(page, name);
            if (folder && width !== 320)
              await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png` });
          }
        };
        // Without a screen the browser has it denied.
        await page.addInitScript(() => Object.defineProperty(Notification, "permission", { get: () => "default" }));
        await shoot(Object.entries(open));
        await signIn(page, await busyPerson());
        await shoot(Object.entries(pages));
      });
    });
  }
}
