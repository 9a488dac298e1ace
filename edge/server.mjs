// Serves dist/worker.js without an edge network, on Node:
//
//   FERRY_TARGET=docker.io/USER FERRY_TOKENS=… PORT=5050 node server.mjs
//
// It speaks plain HTTP on loopback: a proxy with TLS belongs before it.
import { createServer } from "node:http";
import process from "node:process";
import { Readable } from "node:stream";
import worker from "./dist/worker.js";

const env = { ...process.env };
const ctx = { waitUntil: (promise) => void promise.catch(() => {}), passThroughOnException() {} };

createServer(async (incoming, outgoing) => {
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
  headers.set("CF-Connecting-IP", incoming.socket.remoteAddress ?? "");
  // The Worker reads the address as it was written, which a Request would change.
  const url = `http://${incoming.headers.host ?? "localhost"}${incoming.url}`;
  const response = await worker.fetch({ url, method: incoming.method, headers }, env, ctx);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body) return outgoing.end();
  Readable.fromWeb(response.body).on("error", () => outgoing.destroy()).pipe(outgoing);
}).listen(Number(process.env.PORT ?? 5050), "127.0.0.1");
