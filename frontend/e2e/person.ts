import { expect, test as base, type Page } from "@playwright/test";

/** One who has an account, and a page of theirs where nothing may go wrong unnoticed. */
export type Person = { email: string; password: string; token: string };

let made = 0;

export function url(): string {
  if (!process.env.TODO_URL) throw new Error("the server is not running");
  return process.env.TODO_URL;
}

/** Opens an account by the API. */
export async function newPerson(server = url()): Promise<Person> {
  made += 1;
  const email = `ann-${process.pid}-${made}@example.org`;
  const password = "correct horse";
  const body = { email, password, display_name: "Ann Example", time_zone: "Europe/Berlin" };
  const { access_token: token } = (await api("POST", "/api/auth/signup", body, undefined, server)) as {
    access_token: string;
  };
  return { email, password, token };
}

export async function api(
  method: string,
  path: string,
  body?: object,
  token?: string,
  server = url(),
): Promise<unknown> {
  // Streamable HTTP of MCP wants to hear both.
  const accept = "application/json, text/event-stream";
  const headers: Record<string, string> = { "content-type": "application/json", accept };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(server + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export async function signIn(page: Page, { email, password }: Person, path = "/tasks", server = url()) {
  await page.goto(server + path);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page).not.toHaveURL(/signin/);
}

/** The row of a task in the list. */
export function row(page: Page, title: string) {
  return page.getByRole("list", { name: "Tasks" }).getByRole("listitem").filter({ hasText: title });
}

/** Fails a test when a page says an error other than the `expected`, or tries what its policy forbids. */
export const test = base.extend<{ expected: RegExp | undefined; quiet: void }>({
  expected: [undefined, { option: true }],
  quiet: [
    async ({ context, expected }, use) => {
      const said: string[] = [];
      context.on("console", (message) => message.type() === "error" && said.push(message.text()));
      context.on("weberror", (error) => said.push(String(error.error())));
      await use();
      expect(said.filter((text) => !expected?.test(text))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
