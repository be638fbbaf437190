// Serves a folder as Cloudflare Pages does, by the real wrangler, and prints its answers to the paths that are lines of the
// input: one JSON object for each.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const own = dirname(fileURLToPath(import.meta.url));
const paths = [];
for await (const line of createInterface({ input: process.stdin })) paths.push(line);

const free = createServer().listen(0, "127.0.0.1");
await once(free, "listening");
const { port } = free.address();
free.close();

const options = ["--ip", "127.0.0.1", "--port", port, "--compatibility-date", "2026-01-01", "--show-interactive-dev-session=false"];
const wrangler = spawn(process.execPath, [join(own, "node_modules/wrangler/bin/wrangler.js"), "pages", "dev", process.argv[2], ...options], {
  cwd: own,
  detached: true,
  env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(own, "wrangler.log"), NO_COLOR: "1" },
  stdio: ["ignore", "pipe", "pipe"],
});
const end = (code) => {
  try {
    process.kill(-wrangler.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  process.exit(code);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(1));

let said = "";
const ready = new Promise((resolve, reject) => {
  for (const stream of [wrangler.stdout, wrangler.stderr]) {
    stream.on("data", (data) => {
      said += data;
      if (said.includes("Ready on ")) resolve();
    });
  }
  wrangler.on("exit", (code) => reject(new Error(`wrangler ended with ${code}`)));
  setTimeout(() => reject(new Error("wrangler is not ready after 40 s")), 40_000).unref();
});
try {
  await ready;
} catch (error) {
  console.error(`${error.message}\n${said}`);
  end(1);
}

// The path as it is: fetch would make another of it.
const answer = (path) =>
  new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ path, status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() });
    });
    asked.on("error", reject);
    asked.end();
  });
for (const path of paths) console.log(JSON.stringify(await answer(path)));
end(0);
