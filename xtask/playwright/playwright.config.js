import { defineConfig } from "@playwright/test";

export default defineConfig({
  testMatch: "routes.spec.js",
  fullyParallel: true,
  workers: 2,
  reporter: "list",
  use: {
    baseURL: process.env.E2E_BASE_URL,
    launchOptions: {
      executablePath: process.env.BROWSER_BIN,
      args: ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--no-sandbox"],
    },
  },
});
