/** What the tabs of one browser share. Outside secure contexts there are no locks: each tab is then on its own. */

/** Runs `act` while no other tab runs one of this name. */
export function exclusive<T>(name: string, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!globalThis.navigator?.locks) return act();
  return navigator.locks.request(name, { signal }, act) as Promise<T>;
}

/** Says things to the other tabs. */
export class Channel<T> {
  readonly #channel?: BroadcastChannel;

  constructor(name: string) {
    if (typeof window !== "undefined" && "BroadcastChannel" in window) this.#channel = new BroadcastChannel(name);
  }

  post(message: T) {
    this.#channel?.postMessage(message);
  }

  listen(heard: (message: T) => void) {
    const listener = ({ data }: MessageEvent<T>) => heard(data);
    this.#channel?.addEventListener("message", listener);
    return () => this.#channel?.removeEventListener("message", listener);
  }
}
