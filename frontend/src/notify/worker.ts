/** The worker of this browser, once it works; none in development, or where the page did not come by https or from here. */
export async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return undefined;
  try {
    await navigator.serviceWorker.register("/worker.js", { updateViaCache: "none" });
    return await navigator.serviceWorker.ready;
  } catch {
    return undefined;
  }
}
