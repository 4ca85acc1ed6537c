import type { Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test } from "./person";

const RENT = "pay rent every 1st at 9am #home !high, remind me 1 hour before";

const log = (page: Page) => page.getByRole("log", { name: "Messages" });
const box = (page: Page) => page.getByLabel("Message", { exact: true });
const card = (page: Page) => log(page).getByRole("list", { name: "Made or changed" });

/** Says it, and waits until it is answered. */
async function say(page: Page, text: string, answer: string | RegExp) {
  await box(page).fill(text);
  await box(page).press("Enter");
  await expect(log(page)).toContainText(answer);
  await expect(log(page)).toHaveAttribute("aria-busy", "false");
}

test("a task is made, asked for, deleted after a yes, and brought back", async ({ page }) => {
  await signIn(page, await newPerson(), "/chat");
  await expect(page.getByRole("heading", { name: "Talk about your tasks" })).toBeVisible();
  await expect(box(page)).toBeFocused();

  await say(page, RENT, "Added “pay rent”");
  await expect(page).toHaveURL(/\/chat\?id=/);
  await expect(card(page)).toContainText("Monthly on the 1st");
  await expect(box(page)).toBeFocused();
  await expect(box(page)).toHaveValue("");

  const call = log(page).getByRole("button", { name: /Add a task/ });
  await call.click();
  await expect(log(page).getByText("1 hour before", { exact: true }).first()).toBeVisible();
  await call.click();

  await say(page, "what's due this week", /due from/);
  await say(page, "delete it", "Delete “pay rent”?");
  await page.getByRole("group", { name: "Answer" }).getByRole("button", { name: "Yes" }).click();
  await expect(log(page)).toContainText("Deleted “pay rent”");
  await expect(card(page)).toHaveCount(0);
  await expect(page.getByRole("group", { name: "Answer" })).toHaveCount(0);
  await say(page, "undo", "“pay rent” is back");
  await expect(card(page)).toHaveCount(2);

  await card(page).last().getByRole("checkbox", { name: "Complete pay rent" }).click();
  await expect(card(page).first().getByRole("checkbox")).toBeChecked();

  await page.reload();
  await expect(log(page)).toContainText("“pay rent” is back");
  await expect(card(page).first().getByRole("checkbox")).toBeChecked();
});

test("two tabs are in step, and one outlasts the other", async ({ page, context }) => {
  await signIn(page, await newPerson(), "/chat");
  await say(page, "add milk", "Added “milk”");
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(log(other)).toContainText("Added “milk”");

  await say(page, "delete milk", "Delete “milk”?");
  await expect(log(other).getByText("You: delete milk")).toHaveCount(1);
  await other.getByRole("group", { name: "Answer" }).getByRole("button", { name: "Yes" }).click();
  await expect(log(page)).toContainText("Deleted “milk”");
  await expect(page.getByRole("group", { name: "Answer" })).toHaveCount(0);

  const list = page.getByRole("navigation", { name: "Conversations" });
  await list.getByRole("button", { name: "Options of" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByLabel("Title of the conversation").fill("The milk");
  await page.keyboard.press("Enter");
  await expect(other.getByRole("heading", { level: 1, name: "The milk" })).toBeVisible();

  // The server answers, and the tab goes before it hears that.
  const answered = new Promise<void>((done) =>
    page.route("**/todo.v1.ChatService/SendMessage", (route) => route.fetch().then(() => done())),
  );
  await box(page).fill("add bread");
  await box(page).press("Enter");
  await expect(log(other)).toHaveAttribute("aria-busy", "true");
  await answered;
  await page.close();
  await expect(log(other)).toContainText("Added “bread”");
  await expect(log(other)).toHaveAttribute("aria-busy", "false");
});

test("which of several is meant is a click", async ({ page }) => {
  const person = await newPerson();
  for (const title of ["call mom", "call dad"]) await api("POST", "/api/tasks", { title }, person.token);
  await signIn(page, person, "/chat");
  await say(page, "finish call", /which/i);
  await page.getByRole("group", { name: "Answer" }).getByRole("button", { name: "2" }).click();
  await expect(log(page)).toContainText(/Done: “call (mom|dad)”/);
  await expect(card(page)).toHaveCount(1);
});

test("conversations are listed, named and deleted after a question", async ({ page }) => {
  await signIn(page, await newPerson(), "/chat");
  await page.getByRole("list", { name: "Examples" }).getByRole("button", { name: "what's due this week?" }).click();
  await expect(log(page)).toContainText("due from");
  const list = page.getByRole("navigation", { name: "Conversations" });
  await list.getByRole("button", { name: "New chat" }).click();
  await expect(page).toHaveURL(/\/chat$/);
  await say(page, "add milk", "Added “milk”");
  const [newest, older] = [list.getByRole("listitem").first(), list.getByRole("listitem").nth(1)];
  await expect(newest).toContainText("add milk");
  await expect(older).toContainText("what's due this week?");

  await older.getByRole("button", { name: "Options of" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByLabel("Title of the conversation").fill("The week");
  await page.keyboard.press("Enter");
  await expect(older).toContainText("The week");
  await older.getByRole("button", { name: /^The week/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "The week" })).toBeVisible();
  await expect(log(page)).not.toContainText("milk");

  await older.getByRole("button", { name: "Options of" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("alertdialog")).toContainText("Delete “The week”?");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByRole("heading", { name: "Talk about your tasks" })).toBeVisible();
});

test.describe("when the answer is lost", () => {
  test.use({ expected: /Failed to load resource|ERR_FAILED/ });

  test("a message stays, and sent again does nothing twice", async ({ page }) => {
    const person = await newPerson();
    await signIn(page, person, "/chat");
    await page.route("**/todo.v1.ChatService/SendMessage", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await box(page).fill("add milk");
    await box(page).press("Enter");
    await expect(log(page).getByRole("alert")).toContainText("The server cannot be reached.");
    await page.unroute("**/todo.v1.ChatService/SendMessage");
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(log(page)).toContainText("Added “milk”");
    await expect(log(page).getByText("You: add milk")).toHaveCount(1);
    const { total } = (await api("GET", "/api/tasks", undefined, person.token)) as { total: number };
    expect(total).toBe(1);
  });
});

test("who says too much at once is told when to come again", async ({ page }) => {
  const person = await newPerson();
  for (let count = 0; count < 30; count += 1) await api("POST", "/api/chat", { content: "hello" }, person.token);
  await signIn(page, person, "/chat");
  await box(page).fill("add milk");
  await box(page).press("Enter");
  await expect(log(page).getByRole("alert")).toContainText(/Try again in \d+ seconds/);
});

test("a whole conversation by keys alone", async ({ page }) => {
  const person = await newPerson();
  await api("POST", "/api/tasks", { title: "milk" }, person.token);
  await signIn(page, person, "/tasks?view=all");
  await expect(row(page, "milk")).toHaveCount(1);
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(box(page)).toBeFocused();
  await page.keyboard.type("add bread");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("add eggs");
  await expect(box(page)).toHaveValue("add bread\nadd eggs");
  await page.keyboard.press("Enter");
  await expect(card(page).getByRole("listitem")).toHaveCount(2);
  await page.keyboard.type("delete milk");
  await page.keyboard.press("Enter");
  await expect(log(page)).toContainText("Delete “milk”?");
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("button", { name: "No" })).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(log(page)).toContainText("Deleted “milk”");
  await expect(box(page)).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await expect(page.getByRole("heading", { name: "Talk about your tasks" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await expect(row(page, "bread")).toHaveCount(1);
  await expect(row(page, "milk")).toHaveCount(0);
});

test("beside the list, and the list follows", async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, await newPerson(), "/tasks?view=all");
  await page.getByRole("button", { name: "Chat beside the list" }).click();
  await say(page, RENT, "Added “pay rent”");
  await expect(row(page, "pay rent")).toHaveCount(1);
  await page.reload();
  await expect(page.getByRole("complementary", { name: "Chat" })).toBeVisible();
  await page.setViewportSize({ width: 1024, height: 900 });
  await expect(page.getByRole("complementary", { name: "Chat" })).toHaveCount(0);
});
