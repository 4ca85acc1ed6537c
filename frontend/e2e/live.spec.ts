import { api, expect, newPerson, row, signIn, test, url } from "./person";

test("eight tabs live on one stream, and another takes over from the one that had it", async ({ page, context }) => {
  const person = await newPerson();
  let streams = 0;
  context.on("request", (request) => {
    streams += request.url().endsWith("/Watch") ? 1 : 0;
  });
  await signIn(page, person, "/tasks?view=all");
  const tabs = [page];
  for (let count = 1; count < 8; count += 1) {
    const tab = await context.newPage();
    await tab.goto(`${url()}/tasks?view=all`);
    tabs.push(tab);
  }
  for (const tab of tabs) await expect(tab.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
  await api("POST", "/api/tasks", { title: "from elsewhere" }, person.token);
  for (const tab of tabs) await expect(row(tab, "from elsewhere")).toBeVisible();
  expect(streams).toBe(1);

  await page.close();
  await api("POST", "/api/tasks", { title: "after it left" }, person.token);
  for (const tab of tabs.slice(1)) await expect(row(tab, "after it left")).toBeVisible();
  expect(streams).toBe(2);
});

test("a reminder rings in an open page, is snoozed and read", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person);
  await expect(page.getByRole("link", { name: "Notifications" })).toBeVisible();
  const soon = new Date(Date.now() + 1_000).toISOString();
  await api("POST", "/api/tasks", { title: "check the oven", reminders: [{ trigger_at: soon }] }, person.token);
  await page.getByRole("link", { name: "Notifications, 1 unread" }).click({ timeout: 20_000 });
  const entry = page.getByRole("list", { name: "Notifications" }).getByRole("listitem");
  await expect(entry).toContainText("check the oven");
  await entry.getByRole("button", { name: "Snooze check the oven" }).click();
  await page.getByRole("menuitem", { name: "In an hour" }).click();
  await expect(entry).toContainText("rings again");
  await page.getByRole("button", { name: "Mark check the oven as read" }).click();
  await expect(page.getByRole("link", { name: "Notifications", exact: true })).toBeVisible();
});

test("what REST, the chat, a tool and the scheduler add appears in an open page", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  await expect(page.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
  let loads = 0;
  page.on("request", (request) => (loads += request.isNavigationRequest() ? 1 : 0));

  await api("POST", "/api/tasks", { title: "by REST" }, person.token);
  await expect(row(page, "by REST")).toBeVisible();

  await api("POST", "/api/chat", { content: "add by chat" }, person.token);
  await expect(row(page, "by chat")).toBeVisible();

  const { token } = (await api("POST", "/api/auth/tokens", { name: "agent", scopes: ["write"] }, person.token)) as {
    token: string;
  };
  const params = { name: "add_task", arguments: { title: "by a tool" } };
  await api("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params }, token);
  await expect(row(page, "by a tool")).toBeVisible();

  // Tomorrow's is made a day ahead, and so a second from now.
  const due_date = new Date(Date.now() + 1_000).toISOString();
  const recurrence = { recurrence_type: "daily", lead_seconds: 86_400 };
  await api("POST", "/api/tasks", { title: "by the scheduler", due_date, recurrence }, person.token);
  await expect(row(page, "by the scheduler")).toHaveCount(2, { timeout: 20_000 });
  expect(loads).toBe(0);
});
