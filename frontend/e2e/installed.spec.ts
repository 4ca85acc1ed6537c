import { api, expect, newPerson, row, signIn, test } from "./person";
import { scratch, start } from "./server";

// The browser itself says what it could not load.
test.use({ expected: /Failed to load resource|ERR_/, serviceWorkers: "allow" });

test("the page starts without its server, shows what was there, and goes on when it is back", async ({ page }) => {
  const data = await scratch();
  let server = await start(data.path);
  const address = server.url;
  try {
    const person = await newPerson(address);
    for (const title of ["first", "second"]) await api("POST", "/api/tasks", { title }, person.token, address);
    await signIn(page, person, "/tasks?view=all", address);
    await expect(row(page, "second")).toBeVisible();
    await page.evaluate(() => navigator.serviceWorker.ready);
    const kept = () =>
      page.evaluate(async () => {
        const [database] = await indexedDB.databases();
        const open = indexedDB.open(database?.name ?? "");
        const db = await new Promise<IDBDatabase>((done) => (open.onsuccess = () => done(open.result)));
        const count = db.transaction("tasks").objectStore("tasks").count();
        await new Promise((done) => (count.onsuccess = done));
        db.close();
        return count.result;
      });
    await expect.poll(kept).toBe(2);

    await server.stop();
    await page.goto(`${address}/tasks?view=today`);
    await expect(page.getByRole("heading", { level: 1, name: "Today" })).toBeVisible();
    await page.goto(`${address}/tasks?view=all`);
    const strip = page.getByRole("status").filter({ hasText: "Offline, changes are kept" });
    await expect(strip).toContainText("as of");
    await expect(row(page, "first")).toBeVisible();
    await row(page, "second").getByRole("checkbox").click();
    await page.getByLabel("Add a task").fill("third !high");
    await page.keyboard.press("Enter");
    await expect(strip).toContainText("2 to send");
    await page.reload();
    await expect(page.getByRole("list", { name: "Tasks" })).toBeVisible({ timeout: 20_000 });
    await expect(row(page, "third !high")).toContainText("Will be read when online");
    await expect(row(page, "second")).toHaveCount(0);
    await expect(strip).toContainText("2 to send");

    server = await start(data.path, new URL(address).host);
    await expect(row(page, "third").getByRole("img", { name: "High priority" })).toBeVisible({ timeout: 20_000 });
    await expect(strip).toHaveCount(0);
    const { tasks } = (await api("GET", "/api/tasks?sort_by=title", undefined, person.token, address)) as {
      tasks: { title: string; status: string }[];
    };
    expect(tasks.map(({ title, status }) => [title, status])).toEqual([
      ["first", "pending"],
      ["second", "completed"],
      ["third", "pending"],
    ]);

    await page.getByRole("button", { name: /Ann Example/ }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await expect(page).toHaveURL(/signin/);
    await expect.poll(kept).toBe(0);
  } finally {
    await server.stop();
    await data.remove();
  }
});

test("the page can be installed", async ({ page, context }) => {
  await signIn(page, await newPerson());
  await page.evaluate(() => navigator.serviceWorker.ready);
  const browser = await context.newCDPSession(page);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // Tests run in a window without a profile, where nothing is ever installed.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
  const { errors, data } = await browser.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const { icons, shortcuts } = JSON.parse(data ?? "") as { icons: { src: string }[]; shortcuts: { url: string }[] };
  for (const { src } of icons) expect((await page.request.get(new URL(src, page.url()).href)).status()).toBe(200);
  await page.goto(new URL(shortcuts.at(-1)?.url ?? "", page.url()).href);
  await expect(page.getByLabel("Add a task")).toBeFocused();
});
