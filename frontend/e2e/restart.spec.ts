import { api, expect, newPerson, row, signIn, test } from "./person";
import { scratch, start } from "./server";

// The browser itself says what it could not load.
test.use({ expected: /Failed to load resource|ERR_/ });

test("a page outlives its server: what changed meanwhile is shown, and what was typed is kept", async ({ page }) => {
  const data = await scratch();
  let server = await start(data.path);
  const address = server.url;
  try {
    const person = await newPerson(address);
    await api("POST", "/api/tasks", { title: "before" }, person.token, address);
    await signIn(page, person, "/tasks?view=all", address);
    await expect(row(page, "before")).toBeVisible();

    await server.stop();
    const strip = page.getByRole("status").filter({ hasText: "Offline, changes are kept" });
    await expect(strip).toBeVisible();
    await page.getByLabel("Add a task").fill("typed while it was away !high");
    await page.keyboard.press("Enter");
    await expect(row(page, "typed while it was away !high")).toContainText("Will be read when online");
    await row(page, "before").getByRole("checkbox").click();
    await expect(row(page, "before")).toHaveCount(0);
    await page.getByLabel("Add a task").fill("half typed");

    server = await start(data.path, new URL(address).host);
    await api("POST", "/api/tasks", { title: "after" }, person.token, address);
    await expect(row(page, "after")).toBeVisible({ timeout: 20_000 });
    await expect(row(page, "typed while it was away").getByRole("img", { name: "High priority" })).toBeVisible();
    await expect(strip).toHaveCount(0);
    await expect(page.getByLabel("Add a task")).toHaveValue("half typed");
    const { tasks } = (await api("GET", "/api/tasks?sort_by=title", undefined, person.token, address)) as {
      tasks: { title: string; status: string }[];
    };
    expect(tasks.map(({ title, status }) => [title, status])).toEqual([
      ["after", "pending"],
      ["before", "completed"],
      ["typed while it was away", "pending"],
    ]);
  } finally {
    await server.stop();
    await data.remove();
  }
});
