import type { Page } from "@playwright/test";

import { api, expect, newPerson, row, signIn, test, url, type Person } from "./person";

// The browser itself says what it could not load.
test.use({ expected: /Failed to load resource|ERR_|status of 4/ });

const strip = (page: Page) => page.getByRole("status").filter({ hasText: "Offline, changes are kept" });
const quickAdd = (page: Page) => page.getByLabel("Add a task");

async function type(page: Page, line: string) {
  await quickAdd(page).fill(line);
  await quickAdd(page).press("Enter");
  await expect(quickAdd(page)).toHaveValue("");
}

/** The titles that the server has, with how often. */
async function stored({ token }: Person) {
  const { tasks } = (await api("GET", "/api/tasks?limit=1000", undefined, token)) as {
    tasks: { title: string; status: string; priority: string; due_date: string | null }[];
  };
  return tasks.sort((a, b) => (a.title < b.title ? -1 : 1));
}
const titles = async (person: Person) => (await stored(person)).map(({ title }) => title);

test.describe("with the page kept", () => {
  test.use({ serviceWorkers: "allow" });

  test("what is done offline is seen at once, survives a reload, and is sent on return", async ({ page, context }) => {
    const person = await newPerson();
    for (const title of ["to do", "to drop", "to edit"]) await api("POST", "/api/tasks", { title }, person.token);
    await signIn(page, person, "/tasks?view=all");
    await expect(row(page, "to edit")).toBeVisible();
    await expect(strip(page)).toHaveCount(0);
    await page.evaluate(() => navigator.serviceWorker.ready);

    await context.setOffline(true);
    await expect(strip(page)).toBeVisible();
    await type(page, "buy milk tomorrow !high");
    await expect(row(page, "buy milk tomorrow !high")).toContainText("Will be read when online");
    await row(page, "to do").getByRole("checkbox").click();
    await expect(row(page, "to do")).toHaveCount(0);
    await row(page, "to edit")
      .getByRole("button", { name: /to edit/ })
      .first()
      .click();
    await page.getByLabel("Title").fill("edited");
    await page.keyboard.press("Enter");
    await page.getByRole("radio", { name: "High" }).click();
    await page.getByRole("button", { name: "Close" }).click();
    await expect(row(page, "edited").getByRole("img", { name: "High priority" })).toBeVisible();
    await row(page, "to drop").hover();
    await row(page, "to drop").getByRole("button", { name: "Delete to drop" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await expect(row(page, "to drop")).toHaveCount(0);
    await expect(strip(page)).toContainText("5 to send");
    await page.reload();
    await expect(strip(page)).toContainText("5 to send");
    await expect(row(page, "edited").getByRole("img", { name: "High priority" })).toBeVisible();
    await expect(row(page, "to do")).toHaveCount(0);
    expect(await titles(person)).toEqual(["to do", "to drop", "to edit"]);

    await context.setOffline(false);
    await expect(strip(page)).toHaveCount(0);
    await expect(row(page, "buy milk").getByRole("img", { name: "High priority" })).toBeVisible();
    await expect(row(page, "buy milk")).toContainText("Tomorrow");
    const held = async () => (await stored(person)).map(({ title, status, priority }) => [title, status, priority]);
    await expect.poll(held).toEqual([
      ["buy milk", "pending", "high"],
      ["edited", "pending", "high"],
      ["to do", "completed", "medium"],
    ]);
  });

  test("signing out without the server ends the session here at once, and there on return", async ({
    page,
    context,
  }) => {
    const person = await newPerson();
    await api("POST", "/api/tasks", { title: "mine alone" }, person.token);
    await signIn(page, person, "/tasks?view=all");
    await expect(row(page, "mine alone")).toBeVisible();
    await page.evaluate(() => navigator.serviceWorker.ready);
    const leave = async (way: string) => {
      await page.getByRole("button", { name: /Ann Example/ }).click();
      await page.getByRole("menuitem", { name: way, exact: true }).click();
    };

    await context.setOffline(true);
    await expect(strip(page)).toBeVisible();
    await leave("Sign out everywhere");
    await expect(page.getByText("You are still signed in.")).toBeVisible();
    await leave("Sign out");
    await expect(page.getByText("Signed out here.")).toBeVisible();
    await expect(page).toHaveURL(/signin/);
    await page.goto(`${url()}/tasks?view=all`);
    await expect(page).toHaveURL(/signin/);

    const told = page.waitForResponse(/auth\/signout$/);
    await context.setOffline(false);
    expect((await told).ok()).toBe(true);
    const refreshed = () =>
      page.evaluate(async () => {
        const headers = { "content-type": "application/json", "x-session": "cookie" };
        return (await fetch("/api/auth/refresh", { method: "POST", headers, body: "{}" })).status;
      });
    await expect.poll(refreshed).toBe(401);
  });
});

test("two tabs offline, then back: each change once, and both show the same", async ({ page, context }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  const other = await context.newPage();
  await other.goto(`${url()}/tasks?view=all`);
  await expect(other.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
  await context.setOffline(true);
  for (const tab of [page, other]) await expect(strip(tab)).toBeVisible();
  await type(page, "buy apples");
  await type(other, "buy pears");
  await expect(row(page, "buy pears")).toBeVisible();
  await row(page, "buy pears").getByRole("checkbox").click();
  await expect(row(other, "buy pears")).toHaveCount(0);
  await context.setOffline(false);
  for (const tab of [page, other]) await expect(strip(tab)).toHaveCount(0);
  const held = async () => (await stored(person)).map(({ title, status }) => [title, status]);
  await expect.poll(held).toEqual([
    ["buy apples", "pending"],
    ["buy pears", "completed"],
  ]);
  for (const tab of [page, other]) await expect(row(tab, "buy apples")).toHaveCount(1);
});

test("lost answers make nothing twice", async ({ page }) => {
  const person = await newPerson();
  for (const title of ["to do", "to drop"]) await api("POST", "/api/tasks", { title }, person.token);
  await signIn(page, person, "/tasks?view=all");
  await expect(row(page, "to drop")).toBeVisible();
  let lost = 0;
  const writes = /TaskService\/(CreateTask|CompleteTask|DeleteTask|UpdateTask)$/;
  await page.route(writes, async (route) => {
    await route.fetch();
    lost += 1;
    await route.abort();
  });
  await type(page, "repeat me every day at 9am");
  await expect.poll(() => lost).toBeGreaterThan(1);
  await page.unroute(writes);
  await expect(strip(page)).toHaveCount(0);
  const before = lost;
  await page.route(writes, async (route) => {
    await route.fetch();
    lost += 1;
    await route.abort();
  });
  await row(page, "to do").getByRole("checkbox").click();
  await expect.poll(() => lost).toBeGreaterThan(before);
  await page.unroute(writes);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "to do")).toHaveCount(1);
  await expect(strip(page)).toHaveCount(0);
  await expect
    .poll(async () => (await stored(person)).map(({ title, status }) => [title, status]))
    .toEqual([
      ["repeat me", "pending"],
      ["to do", "pending"],
      ["to drop", "pending"],
    ]);
});

test("a server that asks to wait is waited for", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  let asked = 0;
  await page.route("**/todo.v1.TaskService/CreateTask", async (route) => {
    asked += 1;
    if (asked === 1) await route.fulfill({ status: 503, headers: { "retry-after": "1" } });
    else await route.continue();
  });
  await quickAdd(page).fill("patience");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(row(page, "patience")).toBeVisible();
  await expect.poll(() => titles(person)).toEqual(["patience"]);
  expect(asked).toBe(2);
});

test("what is refused is shown with the reason, tried again, written anew or discarded", async ({ page, context }) => {
  const person = await newPerson();
  const { id } = (await api("POST", "/api/tasks", { title: "doomed" }, person.token)) as { id: string };
  await signIn(page, person, `/tasks?view=all&task=${id}`);
  await expect(page.getByRole("complementary", { name: "Task" })).toBeVisible();
  await context.setOffline(true);
  await expect(strip(page)).toBeVisible();
  await page.getByRole("radio", { name: "High" }).click();
  await type(page, "#onlytags");
  await api("DELETE", `/api/tasks/${id}`, undefined, person.token);
  await context.setOffline(false);

  await page.getByText("2 changes were refused").waitFor();
  await page.getByRole("button", { name: "Show" }).click();
  const list = page.getByRole("list", { name: "Refused changes" });
  const gone = list.getByRole("listitem").filter({ hasText: "Change priority of “doomed”" });
  await expect(gone).toContainText("The task is not there any more.");
  await page.reload();
  await page.getByRole("button", { name: "Show" }).click();
  await gone.getByRole("button", { name: "Try again" }).click();
  await expect(gone).toContainText("The task is not there any more.");
  await gone.getByRole("button", { name: "Discard" }).click();
  await expect(gone).toHaveCount(0);
  await list
    .getByRole("listitem")
    .filter({ hasText: "#onlytags" })
    .getByRole("button", { name: "Write it anew" })
    .click();
  await expect(quickAdd(page)).toHaveValue("#onlytags");
  await expect(page.getByText("refused")).toHaveCount(0);
});

test("another account sees nothing of what waits, and sends nothing of it", async ({ page }) => {
  const [ann, ben] = [await newPerson(), await newPerson()];
  await signIn(page, ann, "/tasks?view=all");
  await page.route("**/todo.v1.TaskService/CreateTask", (route) => route.abort());
  await type(page, "mine alone");
  await expect(strip(page)).toBeVisible();
  // The session ends without a sign out.
  await page.evaluate(() => localStorage.removeItem("todo.session"));
  await page.reload();
  await expect(page).toHaveURL(/signin/);
  await page.unroute("**/todo.v1.TaskService/CreateTask");

  await signIn(page, ben, "/tasks?view=all");
  await expect(page.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
  await type(page, "of ben");
  await expect.poll(() => titles(ben)).toEqual(["of ben"]);
  expect(await titles(ann)).toEqual([]);
  await page.getByRole("button", { name: /Ann Example/ }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await expect(page).toHaveURL(/signin/);

  await signIn(page, ann, "/tasks?view=all");
  await expect(row(page, "mine alone")).toBeVisible();
  await expect.poll(() => titles(ann)).toEqual(["mine alone"]);
});

test("signing out with changes that wait asks first", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  await page.route("**/todo.v1.TaskService/CreateTask", (route) => route.abort());
  await type(page, "not yet sent");
  await expect(strip(page)).toBeVisible();
  const leave = async (answer: string) => {
    await page.getByRole("button", { name: /Ann Example/ }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await expect(page.getByRole("dialog", { name: "Sign out?" })).toContainText("1 change has not reached the server");
    await page.getByRole("button", { name: answer }).click();
  };
  await leave("Stay");
  await expect(row(page, "not yet sent")).toBeVisible();
  await leave("Discard and sign out");
  await expect(page).toHaveURL(/signin/);
  await page.unroute("**/todo.v1.TaskService/CreateTask");
  await signIn(page, person, "/tasks?view=all");
  await expect(page.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
});

test("half a line and half a description survive a reload", async ({ page }) => {
  const person = await newPerson();
  const { id } = (await api("POST", "/api/tasks", { title: "a task" }, person.token)) as { id: string };
  await signIn(page, person, `/tasks?view=all&task=${id}`);
  await quickAdd(page).fill("half a li");
  await page.getByLabel("Description").fill("half a descr");
  await page.reload();
  await expect(quickAdd(page)).toHaveValue("half a li");
  await expect(page.getByLabel("Description")).toHaveValue("half a descr");
});
