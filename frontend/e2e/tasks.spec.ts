import { api, expect, newPerson, row, signIn, test, url } from "./person";

test("from sign up to a task that a second tab shows at once", async ({ page, context }) => {
  await page.goto(url());
  await page.getByRole("link", { name: "Begin" }).click();
  await page.getByLabel("Name").fill("Ann Example");
  await page.getByLabel("E-mail").fill(`new-${Date.now()}@example.org`);
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("heading", { name: "Nothing more today" })).toBeVisible();

  const second = await context.newPage();
  await second.goto(`${url()}/tasks?view=all`);
  await expect(second.getByRole("heading", { name: "No tasks yet" })).toBeVisible();

  await page.getByLabel("Add a task").fill("pay rent every 1st at 9am #home !high, remind me 1 hour before");
  const understood = page.getByRole("list", { name: "Understood" });
  for (const part of ["Monthly on the 1st", "1 hour before", "High", "home"])
    await expect(understood).toContainText(part);
  await page.keyboard.press("Enter");

  const shown = row(second, "pay rent");
  await expect(shown).toContainText("home");
  await expect(shown).toContainText("Monthly on the 1st");
  await expect(shown).toContainText("9:00");
  await expect(shown.getByRole("img", { name: "High priority" })).toBeVisible();
});

test("what is understood can be taken as words", async ({ page }) => {
  await signIn(page, await newPerson());
  await page.getByLabel("Add a task").fill("watch tomorrow never dies #films");
  await page.getByRole("button", { name: /Take Tomorrow as words/ }).click();
  await expect(page.getByLabel("Add a task")).toHaveValue('watch "tomorrow" never dies #films');
  await expect(page.getByRole("list", { name: "Understood" })).not.toContainText("Tomorrow");
});

test("what is understood is corrected at its chip", async ({ page }) => {
  const person = await newPerson();
  await signIn(page, person, "/tasks?view=all");
  await page.getByLabel("Add a task").fill("call mom tomorrow at 17:00 !high");
  await page.getByRole("button", { name: "High", exact: true }).click();
  await page.getByRole("dialog", { name: "Priority" }).getByRole("radio", { name: "Low" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Low", exact: true })).toBeFocused();
  await page.getByLabel("Add a task").press("Enter");
  await expect(row(page, "call mom").getByRole("img", { name: "Low priority" })).toBeVisible();
  await expect(row(page, "call mom")).toContainText("Tomorrow 17:00");
});

test("tasks are completed, deleted after a question, and both are undone", async ({ page }) => {
  const person = await newPerson();
  await api("POST", "/api/tasks", { title: "one" }, person.token);
  await api("POST", "/api/tasks", { title: "two" }, person.token);
  await signIn(page, person, "/tasks?view=all");

  await page.getByRole("checkbox", { name: "Complete one" }).click();
  await expect(row(page, "one")).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "one")).toHaveCount(1);

  await row(page, "two").hover();
  await page.getByRole("button", { name: "Delete two" }).click();
  await expect(page.getByRole("alertdialog")).toContainText("Delete “two”?");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row(page, "two")).toHaveCount(0);
  await page.getByRole("status").filter({ hasText: "Deleted" }).first().waitFor();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await expect(row(page, "two")).toHaveCount(1);
});

test("a change that the server refuses is taken back, and said", async ({ page }) => {
  const person = await newPerson();
  await api("POST", "/api/tasks", { title: "stays open" }, person.token);
  await signIn(page, person, "/tasks?view=all");
  await row(page, "stays open").waitFor();
  await page.route("**/todo.v1.TaskService/CompleteTask", (route) =>
    route.fulfill({
      headers: { "content-type": "application/grpc-web+proto", "grpc-status": "9", "grpc-message": "not today" },
    }),
  );
  await page.getByRole("checkbox", { name: "Complete stays open" }).click();
  await expect(page.getByText("Not today.", { exact: true }).first()).toBeVisible();
  await expect(row(page, "stays open")).toHaveCount(1);
});

test("every field is edited and cleared, and kept", async ({ page }) => {
  const person = await newPerson();
  const { id } = (await api("POST", "/api/tasks", { title: "draft" }, person.token)) as { id: string };
  await signIn(page, person, `/tasks?view=all&task=${id}`);
  const detail = page.getByRole("complementary", { name: "Task" });
  await detail.getByLabel("Title").fill("final");
  await detail.getByLabel("Title").press("Enter");
  await detail.getByLabel("Description").fill("with words");
  await expect(detail.getByText("10 / 2,000")).toBeVisible();
  await detail.getByLabel("Description").blur();
  await detail.getByRole("radio", { name: "High" }).click();
  await detail.getByRole("radio", { name: "In progress" }).click();
  await detail.getByRole("button", { name: "Tomorrow" }).click();
  await detail.getByLabel("Add a tag").fill("home");
  await detail.getByLabel("Add a tag").press("Enter");
  await detail.getByRole("button", { name: "Add a reminder" }).click();
  await page.getByRole("menuitem", { name: "1 hour before" }).click();
  await detail.getByRole("button", { name: "Repeat it" }).click();
  await page.getByRole("menuitem", { name: "Every 2 weeks" }).click();
  await expect(detail.getByRole("list", { name: "Next dates" }).getByRole("listitem")).toHaveCount(5);
  await detail.getByRole("button", { name: "Save" }).click();

  const read = () => api("GET", `/api/tasks/${id}`, undefined, person.token);
  await expect.poll(read).toMatchObject({
    title: "final",
    description: "with words",
    priority: "high",
    status: "in_progress",
    due_all_day: true,
    tags: ["home"],
    reminders: [{ before_due_seconds: 3600 }],
    recurrence: { rrule: "FREQ=WEEKLY;INTERVAL=2" },
  });

  await detail.getByRole("button", { name: "Clear the recurrence" }).click();
  await detail.getByRole("button", { name: "Remove the reminder 1 hour before" }).click();
  await detail.getByRole("button", { name: "Remove home" }).click();
  await detail.getByRole("button", { name: "Clear the due date" }).click();
  await expect.poll(read).toMatchObject({ due_date: null, tags: [], reminders: [], recurrence: null });
});

test("filters stand in the address, are counted, and cleared", async ({ page }) => {
  const person = await newPerson();
  for (const title of ["buy milk", "buy bread", "sell car"]) {
    const priority = title === "buy milk" ? "high" : "low";
    await api("POST", "/api/tasks", { title, priority, tags: ["shop"] }, person.token);
  }
  await signIn(page, person, "/tasks?view=all&priority=low&tag=shop&q=BUY");
  await expect(page.getByRole("list", { name: "Tasks" }).getByRole("listitem")).toHaveCount(1);
  await expect(row(page, "buy bread").locator("mark")).toHaveText("buy");
  await page.getByRole("button", { name: "Clear 3 filters" }).click();
  await expect(page).toHaveURL(/view=all$/);
  await expect(page.getByRole("list", { name: "Tasks" }).getByRole("listitem")).toHaveCount(3);
});

test("several are chosen, deleted together, and brought back together", async ({ page }) => {
  const person = await newPerson();
  for (const title of ["a", "b", "c"]) await api("POST", "/api/tasks", { title }, person.token);
  await signIn(page, person, "/tasks?view=all&sort=title");
  await row(page, "a").waitFor();
  for (const key of "jxjx") await page.keyboard.press(key);
  const bar = page.getByRole("toolbar", { name: "Chosen tasks" });
  await expect(bar).toContainText("2 chosen");
  await bar.getByRole("button", { name: "Delete" }).click();
  await bar.getByRole("button", { name: "Delete" }).click();
  const rows = page.getByRole("list", { name: "Tasks" }).getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(rows).toHaveCount(3);
});
