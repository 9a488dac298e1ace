// Holds wrangler.toml to what the deployment needs, without an account.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("wrangler deploys the Worker with its rate limits and variables", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run", "--var", "FERRY_TARGET:registry.example.com/alice"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
  });
  for (const want of [/env\.LIMIT \(600 requests\/60s\) +Rate Limit/, /env\.REQUESTS \(10 requests\/60s\) +Rate Limit/, /env\.FERRY_TARGET/]) assert.match(stdout, want);
});
