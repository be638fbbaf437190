// The eight route checks of the smoke suite, as one would write them for Playwright's runner: the peer that
// `cargo xtask bench smoke --against playwright` measures.
import { test as base, expect } from "@playwright/test";

const { VITE_SUPABASE_URL: api, VITE_SUPABASE_ANON_KEY: key, E2E_ADMIN_A_EMAIL: email, E2E_ADMIN_A_PASSWORD: password } = process.env;

const routes = [
  ["/", "h1", "Dashboard", ["Today's Collections"]],
  ["/dashboard", "h1", "Dashboard", ["Today's Collections", "Today Allocated", "Today Unallocated", "7d Collections", "Parse Errors", "Aging > 24h"]],
  ["/transactions", "h2", "Transactions Ledger", ["transactions loaded"]],
  ["/groups", "h2", "All Groups", []],
  ["/members", "h2", "Member Management", []],
  ["/reconciliation", "h1", "Reconciliation", ["Unallocated", "Parse errors", "Duplicates"]],
  ["/reports", "h1", "Reports", []],
  ["/settings", "h2", "System Settings", []],
];

const test = base.extend({
  session: [
    async ({}, use) => {
      const answer = await fetch(new URL("auth/v1/token?grant_type=password", api), {
        method: "POST",
        headers: { apikey: key, "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
      });
      expect(answer.status).toBe(200);
      await use(await answer.text());
    },
    { scope: "worker" },
  ],
});

for (const [path, tag, heading, texts] of routes) {
  test(`${path} shows its view`, async ({ page, session }) => {
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("response", (answer) => answer.status() >= 400 && problems.push(`${answer.status()} ${answer.url()}`));
    const name = `sb-${new URL(api).hostname.split(".")[0]}-auth-token`;
    await page.addInitScript(([name, session]) => localStorage.setItem(name, session), [name, session]);
    await page.goto(path);
    await expect(page.locator(tag, { hasText: new RegExp(`^${heading}$`) }).first()).toBeVisible();
    for (const text of texts) await expect(page.getByText(text).first()).toBeVisible();
    await expect(page.getByText("Loading...")).toHaveCount(0);
    expect(problems).toEqual([]);
  });
}
