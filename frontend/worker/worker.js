// Starts the page without its server. What is packed before this: VERSION, that changes with any file of the export, and
// FILES, their paths. Nothing else is answered here: no call of the API ever comes from a cache.
//
// Files with a hash in their name never change, so they come from the cache. Pages come from the network if it answers
// soon, so that a new version is taken at once and none can be stuck; only without it from the cache. The files of the
// version before are kept too, for pages that were open when the new one came.
const HASHED = "/_next/static/";
const PREFIX = "todo.page.";
const CACHE = PREFIX + VERSION;
/** How long the network may take, in milliseconds. */
const PATIENCE = 2_000;
const known = new Set(FILES);

async function fill() {
  const cache = await caches.open(CACHE);
  const missing = [];
  for (const path of FILES) {
    const held = path.startsWith(HASHED) && (await caches.match(path, { ignoreVary: true }));
    if (held) await cache.put(path, held);
    else missing.push(new Request(path, { cache: "no-cache" }));
  }
  await cache.addAll(missing);
}

/** Drops all versions but this and the one before it. */
async function prune() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(prune().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith(HASHED)) event.respondWith(held(request));
  else if (known.has(pathname)) event.respondWith(fresh(request, pathname));
});

async function held(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function fresh(request, pathname) {
  const cached = async () => (await caches.open(CACHE)).match(pathname, { ignoreVary: true });
  const network = fetch(request);
  const late = new Promise((done) => setTimeout(done, PATIENCE));
  const first = await Promise.race([network, late]).catch(() => undefined);
  // What stands before a server that is off says 502 to 504.
  if (first && first.status < 500) return first;
  return (await cached()) ?? network;
}
