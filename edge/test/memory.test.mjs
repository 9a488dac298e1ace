// Holds what the Worker remembers to its time, by a clock that the test moves.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after, before, beforeEach, mock, test } from "node:test";
import { load } from "./load.mjs";
import { digestOf, Registry } from "./registry.mjs";

const { default: worker } = await load("worker");
const token = "0123456789abcdef0123456789abcdef01234567";
const uri = "/v2/ns/img/manifests/1?ns=gcr.io";
const ctx = { waitUntil() {} };
const realTimeout = globalThis.setTimeout;
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

  // The clock is set back: the tag is checked again.
  const third = registry.add("alice/ns.img", "1", "third");
  mock.timers.setTime(Date.now() - 3600_000);
  assert.deepEqual(await get(), { status: 200, digest: third.digest, warning: null, asked: ["HEAD", "GET"] });

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

/** fork is a repository whose workflow mirrors nothing: runs are what GitHub lists, newest first, after it was silent. */
async function fork() {
  const f = { runs: [], annotations: [], silent: 0, started: 0, looks: 0, status: 204, limit: () => Promise.resolve({ success: true }) };
  const github = createServer((request, response) => {
    if (request.url === "/repos/alice/ferry/actions/runs/7/jobs") return response.end('{"jobs":[{"id":70}]}');
    if (request.url === "/repos/alice/ferry/check-runs/70/annotations") return response.writeHead(f.annotations ? 200 : 403).end(JSON.stringify(f.annotations ?? { message: "no" }));
    if (request.method === "GET") {
      if (f.looks++ < f.silent) return response.writeHead(502).end("{}");
      return response.end(JSON.stringify({ workflow_runs: f.runs }));
    }
    f.started++;
    request.on("data", (chunk) => (f.inputs = JSON.parse(chunk).inputs));
    response.writeHead(f.status).end();
  });
  await new Promise((resolve) => github.listen(0, "127.0.0.1", resolve));
  const settings = {
    ...env,
    FERRY_WORKFLOW: "alice/ferry",
    FERRY_GITHUB_TOKEN: "x",
    GITHUB_API_URL: `http://127.0.0.1:${github.address().port}`,
    REQUESTS: { limit: () => f.limit() },
  };
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 10, 29) });
  // What waits for its next look is the end of a promise; the timers of fetch are real.
  globalThis.setTimeout = (then, ms, ...rest) => {
    if (!String(then).includes("native code")) return realTimeout(then, ms, ...rest);
    mock.timers.tick(ms);
    return setImmediate(then);
  };
  /** pull is the answer to a client. The time goes on while the Worker waits. */
  f.pull = async (name, reference = "1") => {
    const request = { url: `https://front.example.com/v2/ns/${name}/manifests/${reference}?ns=gcr.io`, method: "GET", headers: new Headers({ Authorization: `Bearer ${token}` }) };
    registry.asked = [];
    const began = Date.now();
    const response = await worker.fetch(request, settings, ctx);
    const text = await response.text();
    return { status: response.status, text, digest: response.headers.get("Docker-Content-Digest"), again: response.headers.get("Retry-After"), took: Date.now() - began };
  };
  f.close = () => {
    globalThis.setTimeout = realTimeout;
    github.close();
  };
  return f;
}

test("a client is held for a minute and a half, and the image requested once an hour", async () => {
  const f = await fork();
  const first = await f.pull("late");
  assert.equal(first.status, 404);
  assert.ok(first.took >= 80_000 && first.took < 130_000, `after ${first.took} ms`);
  const sent = registry.asked.length + f.looks + f.started;
  assert.ok(sent <= 45, `${sent} requests, of 50 that a request to the free plan's Worker may send`);
  assert.equal((await f.pull("late")).status, 404);
  assert.equal(f.started, 1);
  assert.ok(f.looks < 20, `GitHub was asked for runs ${f.looks} times`);
  mock.timers.tick(3600_000);
  assert.equal((await f.pull("late")).status, 404);
  assert.equal(f.started, 2);
  f.close();
});

test("a run that ends without the image is a failure, which is remembered", async () => {
  for (const conclusion of ["failure", "cancelled", "success"]) {
    const f = await fork();
    const name = `run-${conclusion}`;
    const run = { id: 7, display_title: `gcr.io/ns/${name}:1`, conclusion, html_url: "https://github.com/alice/ferry/actions/runs/7" };
    f.runs = [{ ...run, id: 6, conclusion: "failure" }]; // of yesterday
    const pulled = f.pull(name);
    while (!f.started) await new Promise((resolve) => setImmediate(resolve));
    f.runs = [{ ...run, id: 8, display_title: "gcr.io/ns/other:1" }, run, ...f.runs];
    const first = await pulled;
    assert.match(first.text, new RegExp(`the run for it has ended with ${conclusion}, see https://github.com/alice/ferry/actions/runs/7`));
    assert.deepEqual([first.status, first.again], [404, "600"]);
    const second = await f.pull(name);
    assert.equal(second.text, first.text);
    assert.ok(second.took < 1000);
    assert.equal(f.started, 1);
    mock.timers.tick(601_000);
    await f.pull(name);
    assert.equal(f.started, 2);
    f.close();
  }
});

test("a client gets what Ferry says in the run, on one line that is not too long", async () => {
  let n = 0;
  const own = { title: null, message: "Process completed with exit code 1." };
  for (const [annotations, want] of [
    [(what) => [own, { title: `${what}0`, message: "another image" }, { title: `${what} → docker.io/user`, message: "not found:\n\u001b[31m no\u202e image" }], "runs/7: not found: [31m no image"],
    [() => [own, { title: "set-up", message: "x".repeat(1000) }], `runs/7: ${"x".repeat(400)}…`],
    [() => [own], "runs/7"],
    [() => undefined, "runs/7"],
  ]) {
    const f = await fork();
    const name = `reason-${n++}`;
    f.annotations = annotations(`gcr.io/ns/${name}:1`);
    const pulled = f.pull(name);
    while (!f.started) await new Promise((resolve) => setImmediate(resolve));
    f.runs = [{ id: 7, display_title: `gcr.io/ns/${name}:1`, conclusion: "failure", html_url: "https://github.com/alice/ferry/actions/runs/7" }];
    const { text } = await pulled;
    assert.ok(JSON.parse(text).errors[0].message.endsWith(want), text);
    f.close();
  }
});

test("a run that is queued for hours is waited for, and not started again", async () => {
  const f = await fork();
  f.runs = [{ id: 7, display_title: "gcr.io/ns/queued:1", conclusion: null, html_url: "" }];
  for (let hours = 0; hours < 3; hours++) {
    assert.match((await f.pull("queued")).text, /is being mirrored, see .*: try again later/);
    mock.timers.tick(3600_000);
  }
  assert.equal(f.started, 0);
  f.close();
});

test("a client that asks for a thousand images starts as many runs as it may", async () => {
  const f = await fork();
  let left = 10;
  f.limit = () => Promise.resolve({ success: left-- > 0 });
  f.status = 403; // so that nobody waits
  for (let i = 0; i < 1000; i++) {
    const { status, text, again } = await f.pull(`many-${i}`);
    assert.equal(status, 404);
    if (i >= 10) assert.ok(text.includes("this client requests too many images") && again === "60", text);
  }
  assert.equal(f.started, 10);
  f.close();
});

test("a run of yesterday is not taken for the one that was started", async () => {
  const f = await fork();
  f.silent = 1;
  f.runs = [{ id: 6, display_title: "gcr.io/ns/before:1", conclusion: "failure", html_url: "" }];
  const got = await f.pull("before");
  assert.match(got.text, /is being mirrored/);
  assert.equal(f.started, 1);
  assert.ok(f.looks > 1);
  f.close();
});

test("a run that another front has started is waited for", async () => {
  const f = await fork();
  f.runs = [{ id: 7, display_title: "gcr.io/ns/shared:1", conclusion: null, html_url: "" }];
  const pulled = f.pull("shared");
  while (!f.looks) await new Promise((resolve) => setImmediate(resolve));
  registry.add("alice/ns.shared", "1");
  assert.equal((await pulled).status, 200);
  assert.equal(f.started, 0);
  f.close();
});

test("GitHub's refusals are remembered, and the client is told at once", async () => {
  for (const status of [401, 403, 404, 422, 429, 500]) {
    const f = await fork();
    f.status = status;
    for (let i = 0; i < 2; i++) {
      const got = await f.pull(`refused-${status}`);
      assert.equal(got.status, 404);
      assert.match(got.text, /it could not be requested, for a reason that the log of this front has/);
      assert.ok(got.took < 1000, `after ${got.took} ms`);
    }
    assert.equal(f.started, 1);
    f.close();
  }
});

/** announce puts an image of two platforms at the target, of which it has the first, and its index announced by a run. */
function announce(name, { run = 7, type = "application/vnd.oci.image.index.v1+json", data } = {}) {
  const [amd64, arm64] = ["amd64", "arm64"].map((arch) => registry.add(`alice/ns.${name}`, arch));
  const index = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [amd64, arm64].map(({ digest }) => ({ digest })) });
  const other = registry.manifests.get(`alice/ns.${name}@${arm64.digest}`);
  registry.manifests.delete(`alice/ns.${name}@${arm64.digest}`);
  const tag = `digest-${createHash("sha256").update(`announcement of gcr.io/ns/${name}:1`).digest("hex")}`;
  registry.manifests.set(`alice/ns.${name}:${tag}`, {
    type: "application/vnd.oci.image.manifest.v1+json",
    body: JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: "application/octet-stream", data: data ?? btoa(index) },
      annotations: { "io.github.imageferry.type": type, "io.github.imageferry.run": `https://github.com/alice/ferry/actions/runs/${run}` },
    }),
  });
  return { digest: digestOf(index), amd64: amd64.digest, arm64: arm64.digest, arrive: () => registry.manifests.set(`alice/ns.${name}@${arm64.digest}`, other) };
}

test("a client is served when the platforms that are copied first are there, and waits for others", async () => {
  const f = await fork();
  f.runs = [{ id: 6, display_title: "gcr.io/ns/announced:1", conclusion: "failure", html_url: "" }];
  const pulled = f.pull("announced");
  while (!f.started) await new Promise((resolve) => setImmediate(resolve));
  const image = announce("announced");
  f.runs = [{ id: 7, display_title: "gcr.io/ns/announced:1", conclusion: null, html_url: "" }, ...f.runs];
  assert.equal((await pulled).digest, image.digest);
  assert.deepEqual(f.inputs, { images: "gcr.io/ns/announced:1", first: "linux/amd64" });
  for (const reference of ["1", image.digest, image.amd64]) assert.equal((await f.pull("announced", reference)).status, 200, reference);
  const waits = f.pull("announced", image.arm64);
  while (!registry.asked.some((line) => line.startsWith("HEAD"))) await new Promise((resolve) => setImmediate(resolve));
  image.arrive();
  assert.equal((await waits).digest, image.arm64);
  assert.equal(f.started, 1);
  f.close();
});

test("an image whose run fails after it was announced is not served any more", async () => {
  const f = await fork();
  const pulled = f.pull("failing");
  while (!f.started) await new Promise((resolve) => setImmediate(resolve));
  const image = announce("failing");
  assert.equal((await pulled).status, 200);
  f.runs = [{ id: 7, display_title: "gcr.io/ns/failing:1", conclusion: "failure", html_url: "https://github.com/alice/ferry/actions/runs/7" }];
  for (const reference of [image.arm64, "1"]) {
    const got = await f.pull("failing", reference);
    assert.equal(got.status, 404);
    assert.match(got.text, /the run for it has ended with failure/);
  }
  assert.equal(f.started, 1);
  f.close();
});

test("what is no announcement of the run is not served", async () => {
  let n = 0;
  for (const change of [{ run: 6 }, { run: "x" }, { type: "text/html" }, { data: "%" }, { data: "" }, { data: btoa("[]") }, { data: btoa('{"manifests":5}') }]) {
    const f = await fork();
    const name = `none-${n++}`;
    f.runs = [{ id: 6, display_title: `gcr.io/ns/${name}:1`, conclusion: "failure", html_url: "" }];
    announce(name, change);
    const got = await f.pull(name);
    assert.equal(got.status, 404, JSON.stringify(change));
    assert.match(got.text, /is being mirrored/);
    f.close();
  }
});

test("an image is served before all of it is there only if the location's other isolates know", async () => {
  for (const works of [true, false]) {
    const items = new Map();
    globalThis.caches = {
      default: { match: async (key) => items.get(key)?.clone(), put: async (key, response) => void (works && items.set(key, response)) },
    };
    try {
      const f = await fork();
      const name = `cache-${works}`;
      const pulled = f.pull(name);
      while (!f.started) await new Promise((resolve) => setImmediate(resolve));
      announce(name);
      assert.equal((await pulled).status, works ? 200 : 404);
      f.close();
    } finally {
      delete globalThis.caches;
    }
  }
});
