import { defineConfig, devices } from "@playwright/test";

/** Debian's Chromium; as root it needs to run without its sandbox. */
const launchOptions = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/server.ts",
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  reporter: "list",
  timeout: 60_000,
  use: {
    ...devices["Desktop Chrome"],
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    launchOptions,
    // A page with one is not seen by routes; those tests that are about it allow it.
    serviceWorkers: "block",
    trace: "retain-on-failure",
  },
});
