// Holds what the Worker remembers to its time, by a clock that the test moves.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, mock, test } from "node:test";
import { load } from "./load.mjs";
import { Registry } from "./registry.mjs";

const { default: worker } = await load("worker");
const token = "0123456789abcdef0123456789abcdef01234567";
const uri = "/v2/ns/img/manifests/1?ns=gcr.io";
const ctx = { waitUntil() {} };
let registry, env;

before(async () => {
  registry = await new Registry().start();
  env = { FERRY_TARGET: `${registry.url}/alice`, FERRY_TOKENS: token };
  mock.method(console, "log", () => {});
  mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 29) });
});
beforeEach(() => {
  registry.faults = [];
  env = { ...env }; // a new front: nothing is known of the registry
});
after(() => {
  mock.reset();
  registry.stop();
});

/** get asks for a path and gives the answer, and what the registry was asked for meanwhile. */
async function get(path = uri, settings = env) {
  registry.asked = [];
  const request = { url: `https://front.example.com${path}`, method: "GET", headers: new Headers({ Authorization: `Bearer ${token}` }) };
  const response = await worker.fetch(request, settings, ctx);
  await response.arrayBuffer();
  return { status: response.status, digest: response.headers.get("Docker-Content-Digest"), warning: response.headers.get("Warning"), asked: registry.asked.map((line) => line.split(" ")[0] + (line.includes("token") ? " token" : "")) };
}

test("a tag names what it named, for as long as it may", async () => {
  const first = registry.add("alice/ns.img", "1", "first");
  assert.deepEqual(await get(), { status: 200, digest: first.digest, warning: null, asked: ["GET", "GET token", "GET"] });
  const second = registry.add("alice/ns.img", "1", "second");
  mock.timers.tick(59_000);
  assert.deepEqual(await get(), { status: 200, digest: first.digest, warning: null, asked: [] });
  mock.timers.tick(2_000);
  assert.deepEqual(await get(), { status: 200, digest: second.digest, warning: null, asked: ["HEAD", "GET"] });
  mock.timers.tick(61_000);
  assert.deepEqual(await get(), { status: 200, digest: second.digest, warning: null, asked: ["HEAD"] });

  registry.faults = [(_, __, send) => (send(503, {}), true)];
  mock.timers.tick(3600_000);
  const late = await get();
  assert.deepEqual([late.status, late.digest], [200, second.digest]);
  assert.match(late.warning, /^110 ferry ".* 3600 s ago"$/);
  mock.timers.tick(24 * 3600_000);
  assert.equal((await get()).status, 503);
  registry.faults = [];
  assert.equal((await get()).status, 200);

  registry.manifests.delete("alice/ns.img:1");
  mock.timers.tick(61_000);
  assert.equal((await get()).status, 404, "a tag that is gone is not served any more");
});

test("a token is used until shortly before its end, and a target left alone while it asks for it", async () => {
  registry.add("alice/ns.other", "1");
  registry.add("alice/ns.other", "2");
  const other = (tag) => get(`/v2/ns/other/manifests/${tag}?ns=gcr.io`);
  assert.deepEqual((await other(1)).asked, ["GET", "GET token", "GET"]);
  mock.timers.tick(269_000);
  assert.deepEqual((await other(2)).asked, ["GET"]);
  mock.timers.tick(61_000);
  assert.deepEqual((await other(2)).asked, ["GET token", "HEAD"]);

  registry.faults = [(_, __, send) => (send(429, { "Retry-After": "30" }), true)];
  assert.equal((await other(3)).status, 429);
  registry.faults = [];
  mock.timers.tick(29_000);
  assert.deepEqual(await other(3).then((got) => [got.status, got.asked]), [429, []]);
  mock.timers.tick(2_000);
  assert.equal((await other(3)).status, 404);
});

test("a token that is refused is not got again at once", async () => {
  registry.faults = [
    (request, _, send) => request.url.includes("/manifests/") && (send(401, { "WWW-Authenticate": `Bearer realm="${registry.realm}",service="test"` }), true),
  ];
  const other = (tag) => get(`/v2/ns/denied/manifests/${tag}?ns=gcr.io`);
  assert.deepEqual(await other(1).then((got) => [got.status, got.asked]), [403, ["GET", "GET token", "GET"]]);
  assert.deepEqual(await other(2).then((got) => [got.status, got.asked]), [403, ["GET"]]);
  mock.timers.tick(61_000);
  assert.deepEqual(await other(3).then((got) => [got.status, got.asked]), [403, ["GET", "GET token", "GET"]]);
});

test("a platform's cache that fails is one that is empty", async () => {
  const image = registry.add("alice/ns.cached", "1");
  globalThis.caches = {
    default: { match: () => Promise.reject(new Error("out of order")), put: () => Promise.reject(new Error("out of order")) },
  };
  try {
    assert.equal((await get("/v2/ns/cached/manifests/1?ns=gcr.io")).digest, image.digest);
  } finally {
    delete globalThis.caches;
  }
});

test("a client is held for a minute and a half, and the image requested once an hour", async () => {
  const asked = [];
  const github = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(204).end();
  });
  await new Promise((resolve) => github.listen(0, "127.0.0.1", resolve));
  const settings = {
    ...env,
    FERRY_WORKFLOW: "alice/ferry",
    FERRY_GITHUB_TOKEN: "x",
    GITHUB_API_URL: `http://127.0.0.1:${github.address().port}`,
    REQUESTS: { limit: () => Promise.resolve({ success: true }) },
  };
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.UTC(2026, 10, 29) });
  const looks = () => registry.asked.filter((line) => line.startsWith("HEAD")).length;
  const held = async () => {
    let answer;
    const answered = get("/v2/ns/late/manifests/1?ns=gcr.io", settings).then((got) => (answer = got));
    for (let seen = 0; !answer; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (looks() > seen) {
        seen = looks();
        // Until the Worker waits again.
        for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
        mock.timers.tick(10_000);
      }
    }
    return answered;
  };
  const began = Date.now();
  assert.equal((await held()).status, 404);
  assert.ok(Date.now() - began >= 80_000 && Date.now() - began < 130_000, `after ${Date.now() - began} ms`);
  assert.equal((await held()).status, 404);
  assert.equal(asked.length, 1);
  mock.timers.tick(3600_000);
  assert.equal((await held()).status, 404);
  assert.equal(asked.length, 2);
  github.close();
});
