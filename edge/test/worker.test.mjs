// Holds the Worker to what docs/edge.md says, on the real runtime.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { ask, serve } from "./front.mjs";
import { digestOf, Registry } from "./registry.mjs";

const token = "0123456789abcdef0123456789abcdef01234567";
const authorization = { Authorization: `Bearer ${token}` };
const code = (answer) => `${answer.status} ${answer.json?.errors?.[0]?.code}`;

for (const runtime of ["workerd", "node", "deno"]) {
  describe(runtime, () => {
    let registry, front, image, hub;
    const get = (path, options = {}) => ask(front, path, { ...options, headers: { ...authorization, ...options.headers } });
    const start = (settings = {}, options) =>
      serve[runtime]({ FERRY_TARGET: `${registry.url}/alice`, FERRY_TOKENS: `unused-unused-unused ${token}`, FERRY_NAMES: "*.front.example.com", ...settings }, options);

    before(async () => {
      registry = await new Registry().start();
      image = registry.add("alice/ns.img", "1.0");
      hub = registry.add("alice/docker.nginx", "1.27");
      front = await start();
    });
    after(async () => {
      await front.stop();
      registry.stop();
    });

    test("an image is found by every rule", async () => {
      for (const [path, host] of [
        ["/v2/ns/img/manifests/1.0?ns=gcr.io"],
        ["/v2/gcr.io/ns/img/manifests/1.0"],
        ["/v2/ns/img/manifests/1.0", "gcr.front.example.com"],
        [`/v2/ns/img/manifests/${image.digest}?ns=gcr.io`],
      ]) {
        const got = await get(path, { host });
        assert.equal(got.status, 200, `${path}: ${got.body}`);
        assert.equal(digestOf(got.body), image.digest);
        assert.equal(got.headers["docker-content-digest"], image.digest);
        assert.equal(got.headers["content-type"], "application/vnd.oci.image.manifest.v1+json");
        const head = await get(path, { host, method: "HEAD" });
        assert.equal(head.status, 200);
        assert.equal(head.headers["content-length"], String(got.body.length));
        assert.equal(head.body, "");
        const known = await get(path, { host, headers: { "If-None-Match": `W/"${image.digest}"` } });
        assert.equal(known.status, 304);
      }
      assert.equal(code(await get("/v2/ns/img/manifests/1.0?ns=quay.io", { host: "gcr.front.example.com" })), "400 NAME_INVALID");
      assert.equal((await get("/v2/nginx/manifests/1.27")).headers["docker-content-digest"], hub.digest);
      assert.equal((await get("/v2/library/nginx/manifests/1.27?ns=docker.io")).headers["oci-namespace"], "docker.io");
    });

    test("blobs are where the target says, and no token goes there", async () => {
      for (const method of ["GET", "HEAD"]) {
        const got = await get(`/v2/ns/img/blobs/${image.layer}?ns=gcr.io`, { method, headers: { Range: "bytes=3-" } });
        assert.equal(got.status, 307);
        assert.equal(got.headers.location, `https://cdn.example.com/${image.layer}?signature=of-the-target`);
        assert.equal(got.headers["cache-control"], "no-store");
        assert.equal(got.body, "");
      }
      assert.equal(code(await get(`/v2/ns/img/blobs/${digestOf("nothing")}?ns=gcr.io`)), "404 BLOB_UNKNOWN");
      for (const location of ["http://cdn.example.com/x", "https://alice:secret@cdn.example.com/x", "file:///etc/passwd", "https://"]) {
        registry.faults = [(request, _, send) => request.url.includes("/blobs/") && request.headers.authorization && (send(307, { Location: location }), true)];
        assert.equal(code(await get(`/v2/ns/img/blobs/${image.layer}?ns=gcr.io`)), "502 UNAVAILABLE", location);
        registry.faults = [];
      }
    });

    test("an address that the target has signed is for one request", async () => {
      let n = 0;
      registry.faults = [(request, _, send) => request.url.includes("/blobs/") && request.headers.authorization && (send(307, { Location: `https://cdn.example.com/x?signature=${n++}` }), true)];
      for (let i = 0; i < 3; i++) {
        assert.equal((await get(`/v2/ns/img/blobs/${image.layer}?ns=gcr.io`)).headers.location, `https://cdn.example.com/x?signature=${i}`);
      }
      registry.faults = [];
    });

    test("what names hosts in a request chooses no host", async () => {
      const forged = {
        "X-Forwarded-Host": "gcr.front.example.com",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-For": "127.0.0.1",
        "X-Original-URL": "//evil.example.com/",
        "X-Rewrite-URL": "//evil.example.com/",
        Forwarded: "host=evil.example.com;proto=https",
        Origin: "https://evil.example.com",
        Referer: "https://evil.example.com/",
      };
      for (const host of ["evil.example.com", "front.example.com.evil.example.com", "evil.example.com:443", "gcr.front.example.com.evil.example.com", "[::1]", "a.b.front.example.com@evil.example.com"]) {
        for (const [path, status] of [
          ["/v2/ns/img/manifests/1.0?ns=gcr.io", 200],
          [`/v2/ns/img/blobs/${image.layer}?ns=gcr.io`, 307],
          ["/v2/ns/img/tags/list?ns=gcr.io&n=1", 200],
          ["/v2/ns/img/manifests/1.0", 404], // of Docker Hub
          ["/v2/ns/img/manifests/1.0?ns=evil.example.com", 404],
          [`/v2/https://evil.example.com/blobs/${image.layer}`, 400],
          [`/v2//evil.example.com/x/blobs/${image.layer}`, 400],
          ["//evil.example.com/v2/", 404],
          ["/v2/ns/img/tags/list?ns=gcr.io&last=//evil.example.com", 200],
        ]) {
          const got = await get(path, { host, headers: forged }).catch((error) => {
            throw new Error(`${host} ${path}`, { cause: error });
          });
          // Some runtimes refuse a host that is none.
          if (got.status >= 400 && !got.json) continue;
          assert.equal(got.status, status, `${host} ${path}: ${got.body}`);
          if (status === 307) assert.equal(new URL(got.headers.location).host, "cdn.example.com");
          if (got.headers.link) assert.ok(got.headers.link.startsWith("</v2/"), got.headers.link);
          const { location, ...headers } = got.headers;
          assert.ok(!JSON.stringify(headers).includes("evil.example.com") || path.includes("last="), JSON.stringify(headers));
        }
      }
    });

    test("an image is found by its sha512", async () => {
      const { body } = registry.manifests.get("alice/ns.img:1.0");
      const sum = createHash("sha512").update(body).digest();
      let bits = "";
      for (const byte of sum) bits += byte.toString(2).padStart(8, "0");
      const tag = `digest-${bits.match(/.{1,5}/g).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five.padEnd(5, "0"), 2)]).join("")}`;
      const path = `/v2/ns/img/manifests/sha512:${sum.toString("hex")}?ns=gcr.io`;
      assert.equal(code(await get(path)), "404 MANIFEST_UNKNOWN");
      registry.add("alice/ns.img", tag, "something else");
      assert.equal(code(await get(path)), "404 MANIFEST_UNKNOWN");
      registry.manifests.set(`alice/ns.img:${tag}`, registry.manifests.get("alice/ns.img:1.0"));
      const got = await get(path);
      assert.equal(got.status, 200, got.body);
      assert.equal(digestOf(got.body), image.digest);
      assert.equal(got.headers["docker-content-digest"], `sha512:${sum.toString("hex")}`);
      registry.manifests.delete(`alice/ns.img:${tag}`);
      assert.equal((await get(path)).status, 200); // from memory
      assert.equal(code(await get(path.replace("manifests", "blobs"))), "400 DIGEST_INVALID");
    });

    test("the sample image is that of ferry serve, and needs no target", async () => {
      registry.asked = [];
      const sample = JSON.parse(readFileSync(new URL("../src/sample.json", import.meta.url), "utf8"));
      const paths = [["manifests/1", sample.index], ...sample.parts.map((part) => [`${part.kind}/${part.digest}`, part.digest])];
      for (const [path, digest] of paths) {
        const part = sample.parts.find((part) => part.digest === digest);
        for (const source of ["gcr.io", "docker.io"]) {
          const got = await get(`/v2/${sample.path}/${path}?ns=${source}`);
          assert.equal(got.status, 200, got.body);
          assert.deepEqual([digestOf(got.bytes), got.headers["docker-content-digest"], got.headers["content-type"]], [digest, digest, part.type]);
          const head = await get(`/v2/${sample.path}/${path}?ns=${source}`, { method: "HEAD" });
          assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, String(part.body.length), ""]);
        }
      }
      assert.deepEqual(registry.asked, []);
      assert.equal(code(await get(`/v2/${sample.path}/blobs/${sample.index}?ns=gcr.io`)), "404 BLOB_UNKNOWN");
      assert.equal(code(await get(`/v2/${sample.path}/manifests/2?ns=gcr.io`)), "404 MANIFEST_UNKNOWN");
    });

    test("a tag is asked for once a minute, a manifest once", async () => {
      registry.add("alice/ns.often", "1");
      registry.asked = [];
      for (let i = 0; i < 5; i++) assert.equal((await get("/v2/ns/often/manifests/1?ns=gcr.io")).status, 200);
      assert.deepEqual(registry.asked.filter((line) => line.includes("/manifests/")).length, 1);
    });

    test("lists", async () => {
      registry.add("alice/ns.img", `digest-${"0".repeat(64)}`);
      registry.add("alice/ns.img", "2.0");
      const page = await get("/v2/ns/img/tags/list?ns=gcr.io&n=2");
      assert.deepEqual(page.json, { name: "ns/img", tags: ["1.0"] });
      const [, next] = /^<(.*)>; rel="next"$/.exec(page.headers.link);
      assert.equal(next, `/v2/ns/img/tags/list?n=2&last=digest-${"0".repeat(64)}&ns=gcr.io`);
      assert.deepEqual((await get("/v2/gcr.io/ns/img/tags/list")).json.tags, ["1.0", "2.0"]);
      const none = await get(`/v2/ns/img/referrers/${image.digest}?ns=gcr.io`);
      assert.deepEqual(none.json.manifests, []);
      registry.manifests.set(`alice/ns.img:${image.digest.replace(":", "-")}`, {
        type: "application/vnd.oci.image.index.v1+json",
        body: JSON.stringify({ schemaVersion: 2, manifests: [{ artifactType: "a/b" }, { artifactType: "a/c" }] }),
      });
      const some = await get(`/v2/ns/img/referrers/${image.digest}?ns=gcr.io&artifactType=a/c`);
      assert.deepEqual(some.json.manifests, [{ artifactType: "a/c" }]);
      assert.equal(some.headers["oci-filters-applied"], "artifactType");
    });

    test("what is not served is refused with a reason", async () => {
      registry.asked = [];
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
        const got = await get("/v2/ns/img/blobs/uploads/", { method });
        assert.equal(code(got), "405 UNSUPPORTED");
        assert.equal(got.headers.allow, "GET, HEAD");
      }
      for (const [path, want] of [
        ["/v2/a/b/manifests/1?ns=169.254.169.254", "404 NAME_UNKNOWN"],
        ["/v2/127.0.0.1:80/a/manifests/1", "404 NAME_UNKNOWN"],
        ["/v2/evil.example.com/a/b/manifests/1", "404 NAME_UNKNOWN"],
        ["/v2/a%2fb/manifests/1", "400 NAME_INVALID"],
        ["/v2/a/b/manifests/1?ns=gcr.io&token=x", "400 UNAUTHORIZED"],
        ["/v2/_catalog", "404 UNSUPPORTED"],
        ["/", "404 NAME_UNKNOWN"],
        [`/v2/${"a".repeat(5000)}/tags/list`, "400 NAME_INVALID"],
      ]) {
        assert.equal(code(await get(path)), want, path);
      }
      // Some runtimes resolve the dots before the Worker sees them.
      assert.match(code(await get("/v2/a/../../b/manifests/1")), /^(400 NAME_INVALID|404 NAME_UNKNOWN)$/);
      assert.deepEqual(registry.asked, []);
      const missing = await get("/v2/ns/none/manifests/1?ns=gcr.io");
      assert.equal(code(missing), "404 MANIFEST_UNKNOWN");
      assert.match(missing.json.errors[0].message, /^no place has gcr\.io\/ns\/none:1 \(mirror 127\.0\.0\.1:\d+\/alice: not-found\): mirror it first/);
      assert.equal(missing.json.errors[0].detail.ferry, "not-found");
      assert.equal((await get("/v2/")).status, 200);
    });

    test("only guests are served, and dockerd is never asked for a password of Docker Hub", async () => {
      const uri = "/v2/ns/img/manifests/1.0?ns=gcr.io";
      const basic = (password) => `Basic ${btoa(`anybody:${password}`)}`;
      for (const [path, Authorization, status] of [
        [uri, undefined, 401],
        [uri, `bearer ${token}`, 200],
        [uri, basic(token), 200],
        [uri, basic("wrong"), 401],
        [uri, "Basic !", 401],
        [uri, `Digest ${token}`, 401],
        [`/v2/${token}/ns/img/manifests/1.0?ns=gcr.io`, undefined, 200],
        [`/v2/${token}/gcr.io/ns/img/manifests/1.0`, basic("wrong"), 200],
        [`/v2/${token}/`, undefined, 200],
        ["/v2/", undefined, 200],
        ["/v2/nginx/manifests/1.27", undefined, 403],
        ["/v2/docker.io/nginx/manifests/1.27", basic("password of Docker Hub"), 403],
      ]) {
        const got = await ask(front, path, { headers: Authorization ? { Authorization } : {} });
        assert.equal(got.status, status, `${path} ${Authorization}`);
        assert.equal(got.headers["www-authenticate"], status === 401 ? 'Basic realm="ferry"' : undefined);
      }
      // podman and others look up the login by the host of the front, if "/v2/" wants one.
      for (const agent of ["ferry/1", "containers/5.31.0 (github.com/containers/image)", "Buildah/1.38", "skopeo/1.16", "cri-o/1.31"]) {
        for (const [path, Authorization, status] of [
          ["/v2/", undefined, 401],
          ["/v2/", basic("wrong"), 401],
          ["/v2/", basic(token), 200],
          [`/v2/${token}/`, undefined, 200],
          ["/v2/docker.io/nginx/manifests/1.27", undefined, 401],
          ["/v2/docker.io/nginx/manifests/1.27", basic(token), 200],
        ]) {
          const got = await ask(front, path, { headers: { "User-Agent": agent, ...(Authorization ? { Authorization } : {}) } });
          assert.equal(got.status, status, `${agent}: ${path} ${Authorization}`);
          assert.equal(got.headers["www-authenticate"], status === 401 ? 'Basic realm="ferry"' : undefined);
        }
      }
      for (const agent of ["docker/27.3.1 go/go1.22", "containerd/v2.0.0", "not-containers/5", ""]) {
        for (const path of ["/v2/", "/v2/nginx/manifests/1.27"]) {
          assert.equal((await ask(front, path, { headers: { "User-Agent": agent } })).headers["www-authenticate"], undefined, agent);
        }
      }
      const page = await ask(front, `/v2/${token}/gcr.io/ns/img/tags/list?n=1`);
      assert.ok(page.headers.link.startsWith(`</v2/${token}/gcr.io/ns/img/tags/list?`));
      assert.ok(!front.lines.join("").includes(token), "the log has a token");
      assert.match(front.lines.join(""), /"image":"gcr\.io\/ns\/img:1\.0","rule":"namespace","status":200/);
    });

    test("a login goes to the target's own token server and nowhere else", async () => {
      registry.login = "alice:secret";
      const private_ = await start({ FERRY_USERNAME: "alice", FERRY_PASSWORD: "secret" });
      try {
        assert.equal((await ask(private_, "/v2/gcr.io/ns/img/manifests/1.0", { headers: authorization })).status, 200);
        const elsewhere = await new Registry().start();
        registry.realm = `${elsewhere.url}/token`;
        registry.asked = [];
        registry.add("alice/ns.other", "1");
        assert.equal(code(await ask(private_, "/v2/gcr.io/ns/other/manifests/1", { headers: authorization })), "200 undefined", "the realm is known by now");
        const fresh = await start({ FERRY_USERNAME: "alice", FERRY_PASSWORD: "secret" });
        const got = await ask(fresh, "/v2/gcr.io/ns/other/manifests/1", { headers: authorization });
        assert.equal(code(got), "403 DENIED");
        assert.equal(got.json.errors[0].detail.ferry, "token-server");
        assert.deepEqual(elsewhere.asked, []);
        await fresh.stop();
        elsewhere.stop();
      } finally {
        registry.login = "";
        registry.realm = `${registry.url}/token`;
        await private_.stop();
      }
    });

    test("blobs go through the Worker only where the owner says so", async () => {
      registry.blobsAt = "";
      const uri = `/v2/gcr.io/ns/img/blobs/${image.layer}`;
      const relaying = await start({ FERRY_RELAY: "127.0.0.1" });
      try {
        const refused = await get(uri);
        assert.equal(code(refused), "403 DENIED");
        assert.match(refused.json.errors[0].message, /FERRY_RELAY/);
        const whole = await ask(relaying, uri, { headers: authorization });
        assert.equal(digestOf(whole.body), image.layer);
        assert.equal(whole.headers["content-type"], "application/octet-stream");
        const part = await ask(relaying, uri, { headers: { ...authorization, Range: "bytes=3-5" } });
        assert.deepEqual([part.status, part.body, part.headers["content-range"]], [206, whole.body.slice(3, 6), `bytes 3-5/${image.size}`]);
        const other = await ask(relaying, uri, { headers: { ...authorization, Range: "bytes=3-5", "If-Range": '"other"' } });
        assert.deepEqual([other.status, other.body], [200, whole.body]);
        assert.equal((await ask(relaying, uri, { headers: { ...authorization, Range: "bytes=9999-" } })).status, 416);
        const head = await ask(relaying, uri, { method: "HEAD", headers: authorization });
        assert.deepEqual([head.status, head.headers["content-length"]], [200, String(image.size)]);
      } finally {
        registry.blobsAt = "https://cdn.example.com";
        await relaying.stop();
      }
    });

    test("a target that fails is no reason to fail", async () => {
      let i = 0;
      for (const [fault, want, retryAfter] of [
        [(_, __, send) => (send(500, {}), true), "503 UNAVAILABLE", "5"],
        [(_, response) => (response.destroy(), true), "503 UNAVAILABLE", "5"],
        [(request, _, send) => request.url.includes("/manifests/") && (send(200, { "Content-Type": "text/html" }, "<html>"), true), "502 UNAVAILABLE"],
        [(request, _, send) => request.url.includes("/manifests/") && (send(302, { Location: "https://evil.example.com/" }), true), "502 UNAVAILABLE"],
        [(request, _, send) => request.url.includes("/token") && (send(200, {}, "no json"), true), "502 UNAVAILABLE"],
        [(_, __, send) => (send(429, { "Retry-After": "7" }), true), "429 TOOMANYREQUESTS", "7"],
        [() => false, "429 TOOMANYREQUESTS", "7"], // as it asked
      ]) {
        registry.faults = [fault];
        const got = await get(`/v2/gcr.io/ns/failing${i++}/manifests/1`);
        assert.equal(code(got), want, String(fault));
        assert.equal(got.headers["retry-after"], retryAfter);
        registry.faults = [];
      }
    });

    test("settings that do not fit are named", async () => {
      const faulty = await start({ FERRY_TOKENS: "" });
      const got = await ask(faulty, "/v2/", { headers: authorization });
      assert.equal(code(got), "503 UNAVAILABLE");
      assert.match(got.json.errors[0].message, /FERRY_TOKENS is not set/);
      assert.equal((await ask(faulty, "/-/live")).status, 200);
      assert.equal((await ask(faulty, "/-/ready")).status, 503);
      await faulty.stop();
    });

    if (runtime !== "workerd") {
      test("settings that need a rate limit are faults, because there is none", async () => {
        for (const [settings, fault] of [
          [{ FERRY_OPEN: "true", FERRY_TOKENS: "", FERRY_ALLOWED: "gcr.io/ns/*" }, /keep the rate limit LIMIT/],
          [{ FERRY_WORKFLOW: "alice/ferry", FERRY_GITHUB_TOKEN: "github_pat_x" }, /needs the rate limit REQUESTS/],
        ]) {
          const faulty = await start(settings);
          const got = await ask(faulty, "/v2/", { headers: authorization });
          assert.equal(code(got), "503 UNAVAILABLE");
          assert.match(got.json.errors[0].message, fault);
          await faulty.stop();
        }
      });
      return;
    }

    test("an image that nobody has mirrored is mirrored while the client waits", async () => {
      const started = [];
      let status = 204;
      const github = createServer(async (request, response) => {
        if (request.method === "GET") return response.end('{"workflow_runs":[]}');
        let body = "";
        for await (const chunk of request) body += chunk;
        started.push({ url: request.url, token: request.headers.authorization, ...JSON.parse(body) });
        if (status === 204) registry.add("alice/ns.new", "1");
        response.writeHead(status).end();
      });
      await new Promise((resolve) => github.listen(0, "127.0.0.1", resolve));
      const asking = await start({
        FERRY_WORKFLOW: "alice/ferry@trunk",
        FERRY_FIRST: "linux/arm64",
        FERRY_GITHUB_TOKEN: "github_pat_x",
        GITHUB_API_URL: `http://127.0.0.1:${github.address().port}`,
      });
      const asked = (path) => ask(asking, path, { headers: authorization });
      const all = await Promise.all(Array.from({ length: 50 }, () => asked("/v2/gcr.io/ns/new/manifests/1")));
      assert.ok(all.every((got) => got.status === 200));
      assert.deepEqual(started, [
        {
          url: "/repos/alice/ferry/actions/workflows/mirror.yml/dispatches",
          token: "Bearer github_pat_x",
          ref: "trunk",
          inputs: { images: "gcr.io/ns/new:1", first: "linux/arm64" },
        },
      ]);
      status = 403;
      for (let i = 0; i < 2; i++) assert.match((await asked("/v2/gcr.io/ns/refused/manifests/1")).json.errors[0].message, /^no mirror has gcr.io\/ns\/refused:1: it could not be requested/);
      assert.match((await asked("/v2/gcr.io/ns/many/manifests/1")).json.errors[0].message, /requests too many images/);
      assert.equal(code(await asked(`/v2/gcr.io/ns/none/blobs/${image.layer}`)), "404 BLOB_UNKNOWN");
      assert.equal(started.length, 2);
      assert.ok(!asking.lines.join("").includes("github_pat_x"));
      await asking.stop();
      github.close();
    });

    test("a client that leaves loses no request and starts no second run", async () => {
      const f = { started: 0, looked: 0 };
      const github = createServer(async (request, response) => {
        if (request.method === "GET") {
          f.looked++;
          await new Promise((resolve) => setTimeout(resolve, 300)); // the client leaves meanwhile
          return response.end('{"workflow_runs":[]}');
        }
        f.started++;
        response.writeHead(204).end();
      });
      await new Promise((resolve) => github.listen(0, "127.0.0.1", resolve));
      const asking = await start({ FERRY_WORKFLOW: "alice/ferry", FERRY_GITHUB_TOKEN: "x", GITHUB_API_URL: `http://127.0.0.1:${github.address().port}` });
      const uri = "/v2/gcr.io/ns/left/manifests/1";
      const leaving = new AbortController();
      const left = ask(asking, uri, { headers: authorization, signal: leaving.signal });
      while (!f.looked) await new Promise((resolve) => setTimeout(resolve, 10));
      leaving.abort();
      await assert.rejects(left);
      while (!f.started) await new Promise((resolve) => setTimeout(resolve, 10));
      registry.asked = [];
      const stays = ask(asking, uri, { headers: authorization });
      while (!registry.asked.some((line) => line.startsWith("HEAD"))) await new Promise((resolve) => setTimeout(resolve, 10));
      const image = registry.add("alice/ns.left", "1");
      assert.equal((await stays).headers["docker-content-digest"], image.digest);
      assert.equal(f.started, 1);
      await asking.stop();
      github.close();
    });

    test("an open front serves what it is open for, at a measure", async () => {
      const open = await start({ FERRY_OPEN: "true", FERRY_TOKENS: "", FERRY_ALLOWED: "gcr.io/ns/*", FERRY_DENIED: "gcr.io/ns/secret" }, { limit: 3 });
      const asked = async (path) => code(await ask(open, path));
      assert.equal(await asked("/v2/gcr.io/ns/img/manifests/1.0"), "200 undefined");
      assert.equal(await asked("/v2/gcr.io/ns/secret/manifests/1"), "403 DENIED");
      assert.equal(await asked("/v2/nginx/manifests/1.27"), "403 DENIED");
      assert.equal(await asked("/v2/gcr.io/ns/img/manifests/1.0"), "429 TOOMANYREQUESTS");
      await open.stop();
    });
  });
}
