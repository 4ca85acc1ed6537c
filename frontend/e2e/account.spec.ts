import { expect, newPerson, signIn, test, url } from "./person";

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

test.describe("refused", () => {
  // The browser itself says what was refused.
  test.use({ expected: /status of 401/ });

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
