import { afterEach, expect, test, vi } from "vitest";

import { judge, send } from "./send";

const session = vi.hoisted(() => ({ id: "ann" }));
vi.mock("@/api/session", () => ({
  Refused: class extends Error {},
  token: () => Promise.resolve(`token of ${session.id}`),
  userId: () => session.id,
  renew: () => Promise.resolve(),
}));

const item = { id: "i", at: 0, change: { kind: "complete", id: "t", title: "t" } } as const;
const asked = vi.fn((_url: string, request: RequestInit) => {
  expect(new Headers(request.headers).get("idempotency-key")).toBe("i");
  return Promise.reject(new TypeError("Failed to fetch"));
});
afterEach(() => asked.mockClear());
vi.stubGlobal("fetch", asked);

test("what one account did is not sent for another that has signed in since", async () => {
  await expect(send(item, "ann")).rejects.toThrow("Failed to fetch");
  expect(asked).toHaveBeenCalledTimes(1);
  session.id = "ben";
  const error: unknown = await send(item, "ann").catch((caught: unknown) => caught);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(judge(error)).toMatchObject({ again: true });
});
