// The Worker in dist, in the ways in which it runs: on workerd, the runtime of the edge
// network, by Miniflare, and on Node and Deno.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { fileURLToPath } from "node:url";

const file = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** serve starts the Worker with settings. It gives the port, what was logged, and how to stop it. */
export const serve = {
  async workerd(settings, { limit = 100000, ...options } = {}) {
    const { Miniflare, Log } = await import("miniflare");
    const lines = [];
    const mf = new Miniflare({
      modules: true,
      modulesRoot: file("dist"),
      scriptPath: file("dist/worker.js"),
      compatibilityDate: "2026-04-01",
      bindings: settings,
      ratelimits: { LIMIT: { simple: { limit, period: 60 } }, REQUESTS: { simple: { limit: 2, period: 60 } } },
      log: new Log(0),
      cf: false, // else it is fetched
      handleRuntimeStdio(...streams) {
        for (const stream of streams) stream.on("data", (chunk) => lines.push(String(chunk)));
      },
      ...options,
    });
    const { port } = await mf.ready;
    return { port: Number(port), lines, stop: () => mf.dispose() };
  },

  node: (settings) => run(settings, process.execPath),

  // Deno starts by an executable of its package, which its script would start too.
  deno: (settings) => run(settings, deno(), "run", "--quiet", "--no-lock", "--allow-net", "--allow-env"),
};

/** deno is the executable that npm has installed for this machine. */
function deno() {
  const [name] = readdirSync(file("node_modules/@deno"));
  return file(`node_modules/@deno/${name}/deno${process.platform === "win32" ? ".exe" : ""}`);
}

/** run serves the Worker by server.mjs. */
async function run(settings, ...command) {
  const lines = [];
  const port = 20000 + Math.floor(Math.random() * 10000);
  const child = spawn(command[0], [...command.slice(1), file("server.mjs")], { env: { ...process.env, ...settings, PORT: String(port) } });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => lines.push(String(chunk)));
  for (let tries = 0; ; tries++) {
    try {
      await ask({ port }, "/-/live");
      break;
    } catch (error) {
      if (tries > 200) throw new Error(`the Worker does not serve: ${lines.join("")}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { port, lines, stop: async () => void (child.kill(), await once(child, "exit")) };
}

/** ask sends a request as it is written: the path is not tidied up. */
export function ask({ port }, path, { method = "GET", host = "front.example.com", headers = {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const out = request({ host: "127.0.0.1", port, path, method, signal, headers: { Host: host, ...headers } }, async (response) => {
      const chunks = [];
      try {
        for await (const chunk of response) chunks.push(chunk);
      } catch (error) {
        return reject(error);
      }
      const bytes = Buffer.concat(chunks);
      const body = bytes.toString();
      const isJSON = /json/.test(response.headers["content-type"] ?? "");
      resolve({ status: response.statusCode, headers: response.headers, bytes, body, json: isJSON && body ? JSON.parse(body) : undefined });
    });
    out.on("error", reject);
    out.end();
  });
}
