import { defineConfig } from "@playwright/test";

/** Debian's Chromium, as it is; nothing of it speaks to the network by itself. */
const browser = {
  executablePath: process.env.ATOLL_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.e2e.ts",
  outputDir: "e2e/output/results",
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    ...(process.env.ATOLL_URL && { baseURL: process.env.ATOLL_URL }),
    browserName: "chromium",
    launchOptions: browser,
    // The hub makes its own certificate authority on its first start.
    ignoreHTTPSErrors: true,
    locale: "en-US",
    viewport: { width: 1440, height: 900 },
    contextOptions: { reducedMotion: "reduce" },
    trace: "retain-on-failure",
  },
});
