import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test, url } from "./person";

test("a session that ends leads to sign in, and back to where one was", async ({ page, context }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all&priority=high");
  await expect(page).toHaveURL(/\/tasks\?view=all&priority=high$/);

  const second = await context.newPage();
  await second.goto(`${url()}/tasks?view=upcoming`);
  await expect(second.getByRole("heading", { level: 1, name: "Upcoming" })).toBeVisible();
  await second.getByRole("button", { name: /Ann Example/ }).click();
  await second.getByRole("menuitem", { name: "Sign out everywhere" }).click();

  for (const tab of [page, second]) await expect(tab).toHaveURL(/signin\?next=/);
  await signInHere();
  await expect(page).toHaveURL(/\/tasks\?view=all&priority=high$/);

  async function signInHere() {
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password").fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
});

test("a session lives on in a new page, and its token is nowhere to be read", async ({ page }) => {
  await signIn(page, await newPerson());
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Today" })).toBeVisible();
  const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  const [cookie, local, session] = JSON.parse(kept) as [string, Record<string, string>, object];
  expect([cookie, session]).toEqual(["", {}]);
  expect(Object.keys(local)).toEqual(["todo.session"]);
  expect(Object.keys(JSON.parse(local["todo.session"] ?? "") as object)).toEqual(["id", "email", "displayName"]);
});

const section = (page: Page, name: string) => page.getByRole("region", { name });

test("the account is reached from the menu and the palette, and its name and time are changed", async ({ page }) => {
  await signIn(page, await newPerson());
  await page.getByRole("button", { name: /Ann Example/ }).click();
  await page.getByRole("menuitem", { name: "Account" }).click();
  await expect(page).toHaveURL(/\/account$/);

  const profile = section(page, "Profile");
  await profile.getByLabel("Name").fill("Anna ");
  await profile.getByLabel("Name").press("Enter");
  await expect(page.getByRole("button", { name: /Anna/ })).toBeVisible();

  const looks = section(page, "Time and looks");
  await looks.getByRole("button", { name: /Time zone/ }).click();
  const choices = page.getByRole("listbox", { name: "Time zones" });
  await expect(choices.getByRole("option").first()).toContainText("Europe/Berlin");
  await page.getByLabel("Find a time zone").fill("new york");
  await expect(choices.getByRole("option")).toHaveText(["America/New York"]);
  await page.keyboard.press("Enter");
  await expect(looks.getByRole("button", { name: /America\/New York/ })).toBeVisible();
  await looks.getByLabel("Weeks begin on").selectOption("Sunday");
  await looks.getByRole("radio", { name: "Light" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");

  await page.reload();
  await expect(profile.getByLabel("Name")).toHaveValue("Anna");
  await expect(looks.getByRole("button", { name: /America\/New York/ })).toBeVisible();
  await expect(looks.getByLabel("Weeks begin on")).toHaveValue("sunday");

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search, go and do" }).fill("account");
  await expect(page.getByRole("option", { name: /Account/ })).toBeVisible();
});

test("calendars begin where weeks do", async ({ page }) => {
  const person = await newPerson();
  await api("POST", "/api/tasks", { title: "bake", due_date: "2030-03-06T09:00:00Z" }, person.token);
  await api("PATCH", "/api/auth/me", { week_start: "sunday" }, person.token);
  await signIn(page, person, "/tasks?view=all");
  await row(page, "bake").getByRole("button", { name: "Medium priority bake" }).click();
  await page.getByRole("button", { name: /6 Mar 2030/ }).click();
  const days = page.getByRole("dialog", { name: "Choose a day" }).locator("thead th");
  await expect(days.first()).toHaveAttribute("aria-label", "Sunday");
  await expect(days).toHaveCount(7);
});

test("a token made here is shown once, works, and is revoked", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const person = await newPerson();
  await signIn(page, person, "/account");
  const tokens = section(page, "Access tokens");
  await tokens.getByRole("button", { name: "New token" }).click();
  await tokens.getByLabel("Token name").fill("agent");
  await tokens.getByLabel("It ends").selectOption("Until it is revoked");
  await tokens.getByRole("button", { name: "Make token" }).click();

  await tokens.getByRole("button", { name: "Copy: The token" }).click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  expect(token).toMatch(/^todo_pat_[0-9a-f]{64}$/);
  const lines = tokens.getByRole("group", { name: "For Claude Code" });
  await expect(lines).toContainText(`${url()}/mcp`);
  await expect(lines).toContainText(token);
  await tokens.getByLabel("For an assistant").selectOption("Cursor");
  const cursor = JSON.parse(
    (await tokens.getByRole("group", { name: "For Cursor" }).locator("pre").textContent()) ?? "",
  ) as {
    mcpServers: { todo: { url: string; headers: Record<string, string> } };
  };

  const { url: mcp, headers } = cursor.mcpServers.todo;
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "add_task", arguments: { title: "by MCP" } },
  };
  const answer = await fetch(mcp, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(call),
  });
  expect(await answer.text()).toContain("by MCP");
  const { tasks } = (await api("GET", "/api/tasks", undefined, token)) as { tasks: { title: string }[] };
  expect(tasks.map(({ title }) => title)).toEqual(["by MCP"]);

  await tokens.getByRole("button", { name: "Done" }).click();
  await page.reload();
  const listed = tokens.getByRole("listitem").filter({ hasText: "agent" });
  await expect(listed).toContainText("Reads and changes");
  await expect(listed).not.toContainText("never used");
  await expect(page.getByText(token)).toHaveCount(0);
  await listed.getByRole("button", { name: "Revoke agent" }).click();
  await listed.getByRole("button", { name: "Keep" }).click();
  await listed.getByRole("button", { name: "Revoke agent" }).click();
  await listed.getByRole("button", { name: "Revoke now" }).click();
  await expect(listed).toHaveCount(0);
  await expect(api("GET", "/api/tasks", undefined, token)).rejects.toThrow("INVALID_TOKEN");
});

test("everything can be taken along", async ({ page }) => {
  const person = await newPerson();
  await api("POST", "/api/tasks", { title: "keep me", tags: ["home"] }, person.token);
  await signIn(page, person, "/account");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    section(page, "Your data").getByRole("button", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^todo-\d{4}-\d\d-\d\d\.json$/);
  const file = JSON.parse(await readFile(await download.path(), "utf8")) as {
    user: { email: string };
    tasks: { title: string; tags: string[] }[];
  };
  expect(file.user.email).toBe(person.email);
  expect(file.tasks.map(({ title, tags }) => [title, tags])).toEqual([["keep me", ["home"]]]);
});

test("a new password ends other sessions, and this one goes on", async ({ page, browser }) => {
  const person = await newPerson();
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await signIn(other, person);
  await signIn(page, person, "/account");
  const passwords = section(page, "Password and sessions");
  await passwords.getByLabel("Current password").fill(person.password);
  await passwords.getByLabel("New password").fill("battery staple");
  await passwords.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Password changed" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Account" })).toBeVisible();
  await other.reload();
  await expect(other).toHaveURL(/signin/);
  await elsewhere.close();
});

test.describe("refused", () => {
  // The browser itself says what was refused.
  test.use({ expected: /status of 40[01]/ });

  test("a token without a name is said at its field", async ({ page }) => {
    await signIn(page, await newPerson(), "/account");
    const tokens = section(page, "Access tokens");
    await tokens.getByRole("button", { name: "New token" }).click();
    await tokens.getByRole("button", { name: "Make token" }).click();
    await expect(tokens.getByLabel("Token name")).toHaveAttribute("aria-invalid", "true");
    await expect(tokens.getByRole("alert")).toContainText("1 to 100 characters");
  });

  test("a wrong password is said at its field, and nothing is deleted", async ({ page }) => {
    await signIn(page, await newPerson(), "/account");
    const passwords = section(page, "Password and sessions");
    await passwords.getByLabel("Current password").fill("not the password");
    await passwords.getByLabel("New password").fill("battery staple");
    await passwords.getByRole("button", { name: "Change password" }).click();
    await expect(passwords.getByRole("alert")).toHaveText("This is not the current password.");
    const data = section(page, "Your data");
    await data.getByRole("button", { name: /Delete the account/ }).click();
    await data.getByLabel("Your password").fill("not the password");
    await data.getByRole("button", { name: "Delete for good" }).click();
    await expect(data.getByRole("alert")).toHaveText("This is not your password.");
    await data.getByRole("button", { name: "Keep the account" }).click();
    await expect(data.getByLabel("Your password")).toHaveCount(0);
  });

  test("a deleted account is out in every tab, and cannot sign in", async ({ page, context }) => {
    const person = await newPerson();
    await signIn(page, person, "/account");
    const second = await context.newPage();
    await second.goto(`${url()}/tasks`);
    await expect(second.getByRole("heading", { level: 1 })).toBeVisible();
    const data = section(page, "Your data");
    await data.getByRole("button", { name: /Delete the account/ }).click();
    await data.getByLabel("Your password").fill(person.password);
    await data.getByRole("button", { name: "Delete for good" }).click();
    for (const tab of [page, second]) await expect(tab).toHaveURL(/signin/);
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password").fill(person.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").filter({ hasText: /password/i })).toBeVisible();
  });

  test("a wrong password is said beside the form", async ({ page }) => {
    const person = await newPerson();
    await page.goto(`${url()}/signin`);
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").filter({ hasText: /\S/ })).toContainText(/password/i);
  });
});

test("the start page leads to what the server has besides the page", async ({ page }) => {
  await page.goto(url());
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.locator("body")).toContainText('"status"');
  await page.goBack();
  await page.getByRole("link", { name: "The API" }).click();
  await expect(page).toHaveTitle(/API/);
});

test.describe("nowhere", () => {
  test.use({ expected: /status of 404/ });

  test("an address that is nothing says so, and leads back", async ({ page }) => {
    const answer = await page.goto(`${url()}/nothing-here`);
    expect(answer?.status()).toBe(404);
    await page.getByRole("link", { name: "To the tasks" }).click();
    await expect(page).toHaveURL(/signin/);
  });
});
