import { useSyncExternalStore } from "react";

import { exclusive, Channel } from "./tabs";

/** What is known of who uses this page. `unknown` until the cookie has been tried. */
export type State = { status: "unknown" | "anonymous" } | { status: "signedIn"; user: User };
export type User = { id: string; email: string; displayName: string };
type Held = { user: User; token: string; renewAt: number };
type News = { held: Held } | { ended: true };

/** Whether this browser has a session: only then is the cookie tried, which scripts cannot see. */
const HINT = "todo.session";
/** How long before its end a token is renewed, in milliseconds. */
const MARGIN = 60_000;

const unknown: State = { status: "unknown" };
let state: State = unknown;
let held: Held | undefined;
const listeners = new Set<() => void>();
const channel = new Channel<News>("todo.session");

/** A call that the server refused, with what it said of single fields. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }
}

type ErrorBody = { error?: { code?: string; message?: string; details?: { field?: string; message?: string }[] } };

async function call(path: string, body: object, bearer?: string): Promise<unknown> {
  const headers: Record<string, string> = { "content-type": "application/json", "x-session": "cookie" };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await fetch(`/api/auth/${path}`, request).catch(() => {
    throw new Refused("The server cannot be reached.", "UNREACHABLE");
  });
  const text = await response.text();
  if (response.ok) return text ? (JSON.parse(text) as unknown) : null;
  const { error } = readError(text);
  const fields = (error?.details ?? []).map(({ field, message }) => [field ?? "", message ?? ""]);
  throw new Refused(
    error?.message ?? "The server cannot be reached.",
    error?.code ?? "UNREACHABLE",
    Object.fromEntries(fields),
  );
}

function readError(text: string): ErrorBody {
  try {
    return JSON.parse(text) as ErrorBody;
  } catch {
    return {};
  }
}

function publish(next: State) {
  state = next;
  for (const listener of listeners) listener();
}

function take(next: Held) {
  const known = state.status === "signedIn" && state.user.id === next.user.id;
  held = next;
  localStorage.setItem(HINT, "1");
  if (!known) publish({ status: "signedIn", user: next.user });
}

function end() {
  held = undefined;
  localStorage.removeItem(HINT);
  if (state.status !== "anonymous") publish({ status: "anonymous" });
}

/** What REST answers of a session. */
type Session = { user_id: string; email: string; display_name: string; access_token: string; expires_in: number };

function open(session: unknown) {
  const { user_id: id, email, display_name: displayName, access_token: accessToken, expires_in } = session as Session;
  const life = expires_in * 1000;
  take({
    user: { id, email, displayName },
    token: accessToken,
    renewAt: Date.now() + Math.max(life - MARGIN, life / 2),
  });
  if (held) channel.post({ held });
}

channel.listen((news) => ("held" in news ? take(news.held) : end()));

export async function signUp(email: string, password: string, displayName: string, timeZone: string) {
  open(await call("signup", { email, password, display_name: displayName, time_zone: timeZone }));
}

export async function signIn(email: string, password: string) {
  open(await call("signin", { email, password }));
}

/** Ends this browser's session, in all its tabs. */
export async function signOut() {
  await call("signout", {});
  end();
  channel.post({ ended: true });
}

/** Ends every session of the account. */
export async function signOutEverywhere() {
  await call("signout-everywhere", {}, await token());
  end();
  channel.post({ ended: true });
}

/** Exchanges the cookie for a new access token, unless another tab has just done so. `stale` is what is not good any more. */
export async function renew(stale?: string): Promise<void> {
  await exclusive("todo.renew", async () => {
    if (held && held.token !== stale && held.renewAt > Date.now()) return;
    if (!localStorage.getItem(HINT)) return end();
    try {
      open(await call("refresh", {}));
    } catch (error) {
      if (error instanceof Refused && error.code !== "UNREACHABLE" && error.code !== "SERVICE_UNAVAILABLE") end();
      else throw error;
    }
  });
}

/** An access token that is good for a while. Without a session it is empty, which the server refuses. */
export async function token(): Promise<string> {
  if (!held || held.renewAt <= Date.now()) await renew(held?.token);
  return held?.token ?? "";
}

/** Calls when somebody signs in or out; the answer ends that. */
export function onSession(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const userId = () => (state.status === "signedIn" ? state.user.id : undefined);

export function useSession(): State {
  return useSyncExternalStore(
    onSession,
    () => state,
    () => unknown,
  );
}
