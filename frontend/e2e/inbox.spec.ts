import { api, expect, newPerson, signIn, test, type Person } from "./person";

/** A task whose reminders ring at once, each as good as now. */
async function ring(person: Person, title: string, reminders: number, more: object = {}) {
  const soon = Date.now() + 1_500;
  const times = Array.from({ length: reminders }, (_, index) => new Date(soon + index).toISOString());
  const task = { title, reminders: times.map((trigger_at) => ({ trigger_at })), ...more };
  await api("POST", "/api/tasks", task, person.token);
}

test("a day as such is named without a time", async ({ page }) => {
  const person = await newPerson();
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" }).format(new Date());
  await ring(person, "groceries", 1, { due_date: `${today}T00:00:00`, due_all_day: true });
  await signIn(page, person, "/notifications");
  const entry = page.getByRole("list", { name: "Notifications" }).getByRole("listitem");
  await expect(entry).toContainText("Due Today ·", { timeout: 20_000 });
});

test("of many notifications the newest are shown, and older ones when asked for", async ({ page }) => {
  const person = await newPerson();
  for (let count = 0; count < 21; count += 1) await ring(person, `task ${count}`, 5);
  const rung = () => api("GET", "/api/notifications?limit=1", undefined, person.token);
  await expect.poll(rung, { timeout: 30_000 }).toMatchObject({ total: 105 });
  await signIn(page, person, "/notifications");
  const entries = page.getByRole("list", { name: "Notifications" }).getByRole("listitem");
  await expect(entries).toHaveCount(100);
  await page.getByRole("button", { name: "Older" }).click();
  await expect(entries).toHaveCount(105);
  await expect(page.getByRole("button", { name: "Older" })).toHaveCount(0);
});
