import type { MetadataRoute } from "next";

export const dynamic = "force-static";

export default function manifest(): MetadataRoute.Manifest {
  return {
    id: "/tasks",
    name: "Todo",
    short_name: "Todo",
    description: "Tasks in plain language, live everywhere, on a server of your own.",
    start_url: "/tasks?view=today",
    scope: "/",
    display: "standalone",
    theme_color: "#0b0f1a",
    background_color: "#0b0f1a",
    icons: [
      { src: "/icon.svg", type: "image/svg+xml", sizes: "any" },
      { src: "/icon-192.png", type: "image/png", sizes: "192x192" },
      { src: "/icon-512.png", type: "image/png", sizes: "512x512" },
      { src: "/maskable-512.png", type: "image/png", sizes: "512x512", purpose: "maskable" },
    ],
    shortcuts: [
      { name: "Today", url: "/tasks?view=today", icons: [{ src: "/icon-192.png", sizes: "192x192" }] },
      { name: "Add a task", url: "/tasks?view=today#add", icons: [{ src: "/icon-192.png", sizes: "192x192" }] },
    ],
  };
}
