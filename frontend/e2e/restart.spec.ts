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
    await expect(page.getByRole("status").filter({ hasText: "Offline" })).toBeVisible();
    await page.getByLabel("Add a task").fill("typed while it was away");
    await page.keyboard.press("Enter");
    await expect(page.getByText("The server cannot be reached.", { exact: true }).first()).toBeVisible();
    await expect(page.getByLabel("Add a task")).toHaveValue("typed while it was away");

    server = await start(data.path, new URL(address).host);
    await api("POST", "/api/tasks", { title: "after" }, person.token, address);
    await expect(row(page, "after")).toBeVisible({ timeout: 20_000 });
    await page.getByLabel("Add a task").press("Enter");
    await expect(row(page, "typed while it was away")).toBeVisible();
  } finally {
    await server.stop();
    await data.remove();
  }
});
