import type { Page } from "@playwright/test";

import { api, expect, newPerson, signIn, test, url, type Person } from "./person";

const figure = (page: Page, name: string | RegExp) =>
  page.getByRole("term").filter({ hasText: name }).locator("xpath=following-sibling::dd");

/** The numbers of today in the table of a chart. */
async function today(page: Page, title: string) {
  const table = page.getByRole("table", { name: title });
  if (!(await table.isVisible()))
    await page.getByRole("heading", { name: title }).locator("xpath=..").getByText("As a table").click();
  const date = new Intl.DateTimeFormat("en-GB", {
    ...{ weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "Europe/Berlin" },
  } as Intl.DateTimeFormatOptions).format(new Date());
  const first = table.getByRole("row").nth(1);
  await expect(first.getByRole("rowheader")).toHaveText(date);
  return first.getByRole("cell");
}

async function say(person: Person, ...messages: string[]): Promise<string> {
  let conversation_id: string | undefined;
  for (const content of messages) {
    const answer = await api("POST", "/api/chat", { conversation_id, content }, person.token);
    ({ conversation_id } = answer as { conversation_id: string });
  }
  return conversation_id ?? "";
}

async function add(person: Person, title: string, due_date?: string): Promise<string> {
  return ((await api("POST", "/api/tasks", { title, due_date }, person.token)) as { id: string }).id;
}

test("what is completed elsewhere is counted at once, and what is late is not forgotten", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person, "/dashboard");
  await expect(page.getByText("Nothing was completed in these days.")).toBeVisible();
  await expect(page.getByText("Nothing was late in these days.")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Nothing was asked in these days" })).toBeVisible();

  const [one, two] = [await add(person, "one"), await add(person, "two")];
  await add(person, "late", new Date(Date.now() - 3_600_000).toISOString());
  for (const id of [one, two]) await api("POST", `/api/tasks/${id}/complete`, {}, person.token);
  await expect(page.getByText("2 completed in 30 days", { exact: true })).toBeVisible();
  await expect(await today(page, "Completed per day")).toHaveText("2");
  await expect(await today(page, "Overdue at the end of each day")).toHaveText("1");
  await expect(figure(page, "overdue now")).toHaveText("1");

  await api("PATCH", `/api/tasks/${one}`, { status: "pending" }, person.token);
  await expect(await today(page, "Completed per day")).toHaveText("1");
});

test("the days are chosen, stand in the address, and are walked by keys", async ({ page }) => {
  const person = await newPerson();
  await api("POST", `/api/tasks/${await add(person, "one")}/complete`, {}, person.token);
  await signIn(page, person, "/dashboard?days=7");
  await expect(page.getByText("1 completed in 7 days")).toBeVisible();
  await page.getByRole("radio", { name: "90 days" }).click();
  await expect(page).toHaveURL(/days=90$/);
  await expect(page.getByText("1 completed in 90 days")).toBeVisible();
  await expect(page.getByText("explained and counted for 30 days")).toBeVisible();
  await page.getByRole("radio", { name: "Dates" }).click();
  await page.getByLabel("From", { exact: true }).fill("2026-01-01");
  await page.getByLabel("to", { exact: true }).fill("2026-01-31");
  await expect(page).toHaveURL(/from=2026-01-01&to=2026-01-31$/);
  await expect(page.getByText("Nothing was completed in these days.")).toBeVisible();

  await page.goto(`${url()}/dashboard?days=7`);
  const chart = page.getByRole("application", { name: /^Completed per day: 1 completed in 7 days/ });
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  const said = chart.locator("xpath=preceding-sibling::p");
  await expect(said).toContainText("1 completed");
  await page.keyboard.press("ArrowLeft");
  await expect(said).toContainText("0 completed");
  await page.keyboard.press("End");
  await expect(said).toContainText("1 completed");
});

test("decisions are counted, listed, and lead to why", async ({ page }) => {
  const person = await newPerson();
  await say(person, "add milk !high", "delete milk", "no", "delete the moon");
  await signIn(page, person);
  await page.keyboard.press("g");
  await page.keyboard.press("b");
  await expect(page.getByRole("heading", { level: 1, name: "Dashboard" })).toBeVisible();
  await expect(figure(page, "messages answered")).toHaveText("4");
  await expect(figure(page, "went well")).toHaveText("75%");
  await expect(await today(page, "Messages per day")).toHaveText(["3", "1"]);
  await expect(page.getByRole("list", { name: "What was asked" })).toContainText(/Delete a task\s*2/);
  await expect(page.getByRole("list", { name: "Tools called" })).toContainText(/Add a task\s*1/);
  await expect(page.getByRole("list", { name: "What did not go well" })).toContainText(/Not possible\s*1/);

  const recent = page.getByRole("list", { name: "Recent messages" });
  await expect(recent.getByRole("listitem")).toHaveCount(4);
  await say(person, "add eggs");
  await page.getByRole("button", { name: "Reload" }).click();
  await expect(recent.getByRole("listitem")).toHaveCount(5);
  await expect(figure(page, "messages answered")).toHaveText("5");
  await page.getByRole("radio", { name: "Errors" }).click();
  await expect(recent.getByRole("listitem")).toHaveCount(1);

  await recent.getByRole("link", { name: /delete the moon/ }).click();
  await expect(page).toHaveURL(/\/trace\?conversation=.*&at=/);
  const turn = page.getByRole("list", { name: "Decisions" }).getByRole("button", { expanded: true });
  await expect(turn).toContainText("delete the moon");
  await expect(page.getByText("I found no task “moon”.")).toBeVisible();
});

test("an answer in the chat says why: reading, rule, tools and outcome", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const person = await newPerson();
  const conversation = await say(person, "add milk !high tomorrow at 9", "delete milk");
  await signIn(page, person, `/chat?id=${conversation}`);
  await page.getByRole("link", { name: "Why?" }).first().click();

  const turns = page.getByRole("list", { name: "Decisions" });
  const open = turns.getByRole("button", { expanded: true });
  await expect(open).toContainText("add milk !high tomorrow at 9");
  await expect(turns).toContainText(/Add a task, by the built-in grammar, \d+% sure/);
  await expect(turns).toContainText("It went ahead.");
  await turns.getByRole("button", { name: /Add a task \d+ ms/ }).click();
  await expect(turns.getByText("Asked", { exact: true })).toBeVisible();
  await expect(turns).toContainText("Added “milk”");

  await turns.getByRole("button", { name: "Copy JSON" }).click();
  await page.getByText("Copied", { exact: true }).waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(copied).toMatchObject({
    decision: { intent_type: "CREATE_TASK" },
    tool_invocations: [{ tool_name: "add_task" }],
  });

  await turns.getByRole("button", { name: /delete milk/ }).click();
  await expect(turns).toContainText("Deleting, and changing many tasks at once, is always asked first.");
  await page.getByRole("link", { name: "Open the conversation" }).click();
  await expect(page.getByRole("log")).toContainText("Delete “milk”?");
  await page.getByRole("button", { name: /^Options of add milk/ }).click();
  await page.getByRole("menuitem", { name: "Decisions" }).click();
  await expect(open).toContainText("delete milk");
});

test("of many turns the latest are shown, earlier ones when asked for, and any that is pointed at", async ({
  page,
}) => {
  const person = await newPerson();
  const conversation = await say(person, "add milk", ...Array.from({ length: 24 }, () => "hello"));
  await signIn(page, person, `/trace?conversation=${conversation}`);
  const turns = page.getByRole("list", { name: "Decisions" }).getByRole("heading", { level: 2 });
  await expect(turns).toHaveCount(20);
  await page.getByRole("button", { name: "Earlier messages" }).click();
  await expect(turns).toHaveCount(25);
  await expect(turns.first()).toContainText("add milk");
  await expect(page.getByRole("button", { name: "Earlier messages" })).toHaveCount(0);

  await page.getByRole("link", { name: "Open the conversation" }).click();
  await page.getByRole("link", { name: "Why?" }).first().click();
  await expect(turns).toHaveCount(25);
  await expect(page.getByRole("button", { expanded: true })).toContainText("add milk");
});

test("without a conversation, or with nothing known of it, the page says where to look", async ({ page }) => {
  await signIn(page, await newPerson(), "/trace");
  await expect(page.getByRole("heading", { name: "Why did it do that?" })).toBeVisible();
  await page.goto(`${url()}/trace?conversation=01a20136-c233-72dd-8d0f-cbd085ae1ef2`);
  await expect(page.getByRole("heading", { name: "Nothing was decided here" })).toBeVisible();
});
