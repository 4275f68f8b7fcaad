import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { catalogs } from "./scripts/catalog-plugin.mjs";

const hub = process.env.ATOLL_URL ?? "http://127.0.0.1:8080";
const nonce = "__CSP_NONCE__";

/** The server's policy, so that a violation shows on the first run of the development server. */
const policy = [
  "default-src 'none'",
  `script-src 'self' 'nonce-${nonce}'`,
  `style-src 'self' 'nonce-${nonce}'`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export default defineConfig({
  plugins: [catalogs(), react()],
  html: { cspNonce: nonce },
  build: {
    // Browsers with light-dark(): an older target would turn every token into polyfill variables.
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: {
    headers: { "content-security-policy": policy },
    proxy: {
      "/api": { target: hub, ws: true },
      "/k8s": { target: hub, ws: true },
    },
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", environment: "node", include: ["src/**/*.test.ts"] },
      },
    ],
  },
});
