import { api, expect, newPerson, row, signIn, test } from "./person";

test("all of it by keys alone", async ({ page }) => {
  await signIn(page, await newPerson(), "/tasks?view=all");
  await expect(page.getByRole("heading", { name: "No tasks yet" })).toBeVisible();
  await page.keyboard.press("n");
  for (const title of ["first !high", "second", "third !low"]) {
    await page.keyboard.type(title);
    await page.keyboard.press("Enter");
  }
  await expect(page.getByRole("list", { name: "Tasks" }).getByRole("listitem")).toHaveCount(3);
  await page.keyboard.press("Escape");

  await page.keyboard.press("j");
  await expect(page.getByRole("button", { name: /first/, expanded: false })).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("1");
  await expect(row(page, "second").getByRole("img", { name: "High priority" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "Task" }).getByLabel("Title")).toHaveValue("second");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("complementary", { name: "Task" })).toHaveCount(0);

  await page.keyboard.press("e");
  await expect(row(page, "second")).toHaveCount(0);
  await page.keyboard.press("z");
  await expect(row(page, "second")).toHaveCount(1);

  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("third");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "Task" }).getByLabel("Title")).toHaveValue("third");
  await page.keyboard.press("Escape");

  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await expect(page.getByRole("heading", { level: 1, name: "Upcoming" })).toBeVisible();
});

test("two thousand tasks are drawn as a few", async ({ page }) => {
  const person = await newPerson();
  const lanes = Array.from({ length: 20 }, async (_, lane) => {
    for (let count = 0; count < 100; count += 1) {
      await api("POST", "/api/tasks", { title: `task ${String(lane * 100 + count).padStart(4, "0")}` }, person.token);
    }
  });
  await Promise.all(lanes);
  await signIn(page, person, "/tasks?view=all&sort=title");
  await expect(page.getByRole("heading", { level: 1 }).locator("+ span")).toHaveText("2000");
  expect(await page.getByRole("listitem").count()).toBeLessThan(100);
  await page.locator("[data-scroll]").evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await expect(row(page, "task 1999")).toBeVisible();
});
