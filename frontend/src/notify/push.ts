import { notifications } from "@/api/clients";
import { userId } from "@/api/session";

import { permission } from "./permission";
import { worker } from "./worker";

/** Whose reminders are pushed to this browser: the id of an account. */
const OWNER = "todo.push";

/** Whether they are; `none` where they cannot be. */
export type State = "none" | "off" | "on";

const encode = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

async function held(): Promise<PushSubscription | undefined> {
  const registration = await navigator.serviceWorker?.getRegistration();
  return (await registration?.pushManager?.getSubscription()) ?? undefined;
}

export async function state(): Promise<State> {
  if (permission() !== "granted" || !("PushManager" in window)) return "none";
  if (localStorage.getItem(OWNER) === userId() && (await held())) return "on";
  return (await notifications.getPushKey({})).publicKey ? "off" : "none";
}

/** Has the server push to this browser; says so again if it does already. */
export async function subscribe() {
  const { publicKey } = await notifications.getPushKey({});
  const registration = await worker();
  if (!publicKey || !registration) throw new Error("there is no push here");
  const known = await held();
  const key = known?.options.applicationServerKey;
  // By another key of the server than its present one, nothing would come.
  const good = known && key && encode(key) === publicKey;
  if (known && !good) await known.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  const subscription = good ? known : await registration.pushManager.subscribe(options);
  const { endpoint, keys } = subscription.toJSON();
  await notifications.subscribePush({ endpoint, p256dh: keys?.p256dh, auth: keys?.auth });
  localStorage.setItem(OWNER, userId() ?? "");
}

/** Ends it, here even if the server is away: it finds out when it next pushes. */
export async function unsubscribe() {
  const known = await held();
  if (!known) return;
  const mine = localStorage.getItem(OWNER) === userId();
  localStorage.removeItem(OWNER);
  await Promise.allSettled([mine && notifications.unsubscribePush({ endpoint: known.endpoint }), known.unsubscribe()]);
}

/** Keeps it as it was chosen, for whoever has chosen it: the server may have forgotten, or another has signed in. */
export async function keep() {
  const owner = localStorage.getItem(OWNER);
  if (!owner) return;
  if (owner === userId() && permission() === "granted") await subscribe();
  else await unsubscribe();
}
