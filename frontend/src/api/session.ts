import { useSyncExternalStore } from "react";

import { exclusive, Channel } from "./tabs";

/** What is known of who uses this page. `unknown` until the cookie has been tried. */
export type State = { status: "unknown" | "anonymous" } | { status: "signedIn"; user: User };
export type User = { id: string; email: string; displayName: string };
type Held = { user: User; token: string; renewAt: number };
type News = { held: Held } | { ended: true };

/** Who has a session in this browser, if any: only then is the cookie tried, which scripts cannot see. */
const HINT = "todo.session";
/** That this browser's session has ended here, which the server has yet to hear. */
const OWED = "todo.signout";
/** How long before its end a token is renewed, in milliseconds. */
const MARGIN = 60_000;
/** How long the server may take to answer, in milliseconds. */
const LONGEST = 15_000;
/** And with a file. */
const FILE = 600_000;

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

  /** It was not the request's fault; the same one may succeed later. */
  get passing(): boolean {
    return PASSING.includes(this.code);
  }
}

const PASSING = ["UNREACHABLE", "SERVICE_UNAVAILABLE", "RATE_LIMITED", "DEADLINE_EXCEEDED", "INTERNAL"];

type ErrorBody = { error?: { code?: string; message?: string; details?: { field?: string; message?: string }[] } };

async function send(
  method: string,
  path: string,
  body?: object,
  bearer?: string,
  longest = LONGEST,
): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json", "x-session": "cookie" };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const request = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(longest) };
  const response = await fetch(`/api/auth/${path}`, request).catch(() => {
    throw new Refused("The server cannot be reached.", "UNREACHABLE");
  });
  if (!response.ok) throw await refusal(response);
  return response;
}

async function call(path: string, body: object, bearer?: string): Promise<unknown> {
  const text = await (await send("POST", path, body, bearer)).text();
  return text ? (JSON.parse(text) as unknown) : null;
}

async function refusal(response: Response) {
  const { error } = readError(await response.text());
  const fields = (error?.details ?? []).map(({ field, message }) => [field ?? "", message ?? ""]);
  return new Refused(
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
  const known =
    state.status === "signedIn" && state.user.id === next.user.id && state.user.displayName === next.user.displayName;
  held = next;
  localStorage.setItem(HINT, JSON.stringify(next.user));
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
  await settle();
  open(await call("signup", { email, password, display_name: displayName, time_zone: timeZone }));
}

export async function signIn(email: string, password: string) {
  await settle();
  open(await call("signin", { email, password }));
}

const farewells = new Set<() => Promise<void>>();

/** Has something done before this browser's session ends by a click; the answer ends that. */
export function onSignOut(farewell: () => Promise<void>) {
  farewells.add(farewell);
  return () => farewells.delete(farewell);
}

const sayFarewell = () => Promise.allSettled([...farewells].map((farewell) => farewell()));

/**
 * Ends this browser's session, in all its tabs: here at once, at the server when it can be reached. Tells whether it
 * could.
 */
export async function signOut(): Promise<boolean> {
  await sayFarewell();
  localStorage.setItem(OWED, "1");
  const told = await settle().then(
    () => true,
    () => false,
  );
  if (!told) settleSoon();
  end();
  channel.post({ ended: true });
  return told;
}

/** Has the server end what has ended here, before another session begins by the same cookie. */
const settle = () =>
  exclusive("todo.signout", async () => {
    if (!localStorage.getItem(OWED)) return;
    await call("signout", {}).catch((error: unknown) => {
      if (!(error instanceof Refused) || error.passing) throw error;
    });
    localStorage.removeItem(OWED);
  });

/** Tries until the server has heard of it. */
function settleSoon() {
  setTimeout(() => void settle().catch(settleSoon), 2_000);
}

if (typeof window !== "undefined" && localStorage.getItem(OWED)) settleSoon();

/** Ends every session of the account. */
export async function signOutEverywhere(): Promise<boolean> {
  const bearer = await token();
  await sayFarewell();
  await call("signout-everywhere", {}, bearer);
  end();
  channel.post({ ended: true });
  return true;
}

const STALE = ["INVALID_TOKEN", "TOKEN_EXPIRED", "USER_NOT_FOUND"];

/** Calls a route under /api/auth for whoever is signed in; once more if the access token was not good any more. */
async function authorized(method: string, path: string, body?: object, longest?: number): Promise<Response> {
  const bearer = await token();
  try {
    return await send(method, path, body, bearer, longest);
  } catch (error) {
    if (!(error instanceof Refused) || !STALE.includes(error.code)) throw error;
    await renew(bearer);
    return send(method, path, body, await token(), longest);
  }
}

/** Calls a route under /api/auth, and reads the JSON of its answer. */
export async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const text = await (await authorized(method, path, body)).text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The answer of a route under /api/auth as a file. */
export async function download(path: string): Promise<Blob> {
  return (await authorized("GET", path, undefined, FILE)).blob();
}

/** Shows another name of whoever is signed in. */
export function rename(displayName: string) {
  if (!held) return;
  take({ ...held, user: { ...held.user, displayName } });
  channel.post({ held });
}

/** Ends the account, and with it every session. */
export async function deleteAccount(password: string) {
  await ask("DELETE", "me", { password });
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
      if (error instanceof Refused && !error.passing) end();
      else throw error;
    }
  });
}

/** An access token that is good for a while. Without a session it is empty, which the server refuses. */
export async function token(): Promise<string> {
  if (!held || held.renewAt <= Date.now()) await renew(held?.token);
  return held?.token ?? "";
}

/** Who had a session here last, if it has not ended. */
export function remembered(): User | undefined {
  const hint = typeof window === "undefined" ? undefined : localStorage.getItem(HINT);
  const user = hint ? (JSON.parse(hint) as Partial<User>) : {};
  return user.id ? (user as User) : undefined;
}

/** Goes on as the one who was here last, until the server can be asked. */
export function presume() {
  const user = remembered();
  if (state.status === "unknown" && user) publish({ status: "signedIn", user });
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
