// Reminders as the system shows them: those that were pushed here, and those that a page shows by this worker.

// WebKit takes the subscription away from who shows nothing.
const shows = /AppleWebKit/.test(navigator.userAgent) && !/Chrome|Chromium|Android/.test(navigator.userAgent);

// The one that was used last comes first.
const windows = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

async function push(event) {
  const { title, task, notification, when } = event.data?.json() ?? {};
  // Who looks at a page sees it there.
  if (!shows && (await windows()).some(({ focused }) => focused)) return;
  // As in src/notify/system.ts: a page that tells of the same one is replaced, not doubled.
  await self.registration.showNotification(title ?? "Todo", {
    tag: notification,
    body: "Reminder",
    icon: "/icon-192.png",
    timestamp: when && Date.parse(when),
    data: { task, notification },
  });
}

async function open({ task, notification }) {
  // What is shown before one signs in, or besides the page, does not listen.
  const listens = ({ url }) => !/^\/(api\/.*|signin|signup)?$/.test(new URL(url).pathname);
  const window = (await windows()).find(listens);
  if (!window) return self.clients.openWindow(task ? `/tasks?view=all&task=${task}` : "/notifications");
  if (task) window.postMessage({ open: { task, notification } });
  await window.focus();
}

self.addEventListener("push", (event) => event.waitUntil(push(event)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data ?? {}));
});
