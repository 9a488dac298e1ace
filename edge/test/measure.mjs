// Prints the CPU time that a request takes: that of the whole process of workerd,
// in which the Worker, the HTTP server and Miniflare's own code run, over the number
// of requests. It fails if that is more than it may be. Linux only.
import { readdirSync, readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { serve } from "./front.mjs";
import { Registry } from "./registry.mjs";

const limit = 3; // milliseconds
const requests = 1000;
const tick = 10; // milliseconds: the kernel's unit of CPU time, USER_HZ
const token = "0123456789abcdef0123456789abcdef01234567";

const registry = await new Registry().start();
const image = registry.add("alice/ns.img", "1.0");
for (let i = 0; i < requests; i++) registry.add(`alice/ns.img${i}`, "1.0");
// Miniflare's stand-in for the platform's cache runs in the same process.
const front = await serve.workerd({ FERRY_TARGET: `${registry.url}/alice`, FERRY_TOKENS: token }, { cache: false });
const workerd = descendants(process.pid).find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd"));
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

for (const [what, path, status] of [
  ["blob, redirected", () => `/v2/ns/img/blobs/${image.layer}?ns=gcr.io`, 307],
  ["manifest, remembered", () => "/v2/ns/img/manifests/1.0?ns=gcr.io", 200],
  ["manifest, fetched with a new token", (i) => `/v2/ns/img${i}/manifests/1.0?ns=gcr.io`, 200],
  ["refused", () => "/v2/evil.example.com/a/b/manifests/1", 404],
]) {
  await many(200, () => path(0), status); // the compiler's part
  const before = cpu();
  await many(requests, path, status);
  const each = (cpu() - before) / requests;
  console.log(`${what}: ${each.toFixed(2)} ms of CPU time`);
  if (each > limit) process.exitCode = 1;
}
await front.stop();
registry.stop();

async function many(n, path, status) {
  let next = 0;
  const client = async () => {
    while (next < n) {
      const got = await one(path(next++));
      if (got !== status) throw new Error(`status ${got}, not ${status}`);
    }
  };
  await Promise.all([client(), client(), client(), client()]);
}

function one(path) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}` };
    get({ host: "127.0.0.1", port: front.port, path, headers, agent }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  });
}

function cpu() {
  // The name, in parentheses, may have spaces. The fields after it begin with the
  // third (proc(5)).
  const fields = readFileSync(`/proc/${workerd}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tick;
}

function descendants(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean);
  });
  return children.flatMap((child) => [child, ...descendants(child)]);
}
