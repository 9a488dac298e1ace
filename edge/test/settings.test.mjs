// Holds the settings to docs/edge.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { read, serves } = await load("settings");
const good = { FERRY_TARGET: "docker.io/alice", FERRY_TOKENS: "0123456789abcdef0123456789abcdef01234567" };
const LIMIT = {};

test("each fault is named, and no value repeated", () => {
  for (const [settings, want] of [
    [{ FERRY_TOKENS: "" }, /^FERRY_TOKENS is not set/],
    [{ FERRY_TOKENS: "hidden!" }, /^FERRY_TOKENS has a token/],
    [{ FERRY_TARGET: "" }, /^FERRY_TARGET is no/],
    [{ FERRY_TARGET: "docker.io" }, /^FERRY_TARGET is no/],
    [{ FERRY_TARGET: "hidden hidden" }, /^FERRY_TARGET is no/],
    [{ FERRY_TARGET: "docker.io/a/b" }, /^FERRY_TARGET has a namespace of several components/],
    [{ FERRY_TARGET: "docker.io/a", FERRY_PROFILE: "path" }, /^FERRY_TARGET does not fit profile path/],
    [{ FERRY_TARGET: `docker.io/${"a".repeat(230)}` }, /^FERRY_TARGET has a namespace that leaves too little room/],
    [{ FERRY_PROFILE: "hidden" }, /^FERRY_PROFILE is none of flat, host, last, path, one/],
    [{ FERRY_OPEN: "true", LIMIT }, /^FERRY_OPEN/],
    [{ FERRY_OPEN: "true", FERRY_ALLOWED: "quay.io/*" }, /^FERRY_OPEN/],
    [{ FERRY_USERNAME: "hidden" }, /^FERRY_USERNAME and FERRY_PASSWORD/],
    [{ FERRY_SOURCES: "hidden!" }, /^FERRY_SOURCES/],
    [{ FERRY_SOURCES: "registry.example.com=quay" }, /^FERRY_TARGET has one label for two hosts/],
    [{ FERRY_NAMES: "gcr.front.example.com=hidden.example.com" }, /^FERRY_NAMES/],
    [{ FERRY_NAMES: "gcr.front.example.com" }, /^FERRY_NAMES/],
    [{ FERRY_NAMES: "*.front.example.com=gcr.io" }, /^FERRY_NAMES/],
    [{ FERRY_WORKFLOW: "hidden", FERRY_GITHUB_TOKEN: "hidden", REQUESTS: LIMIT }, /^FERRY_WORKFLOW is not a repository/],
    [{ FERRY_WORKFLOW: "a/../b", FERRY_GITHUB_TOKEN: "hidden", REQUESTS: LIMIT }, /^FERRY_WORKFLOW is not a repository/],
    [{ FERRY_WORKFLOW: "alice/ferry", REQUESTS: LIMIT }, /^FERRY_GITHUB_TOKEN is not set/],
    [{ FERRY_WORKFLOW: "alice/ferry", FERRY_GITHUB_TOKEN: "hidden" }, /^FERRY_WORKFLOW needs the rate limit/],
    [{ FERRY_WORKFLOW: "alice/ferry", FERRY_GITHUB_TOKEN: "hidden", REQUESTS: LIMIT, FERRY_FIRST: "hidden" }, /^FERRY_FIRST is not a list of platforms/],
    [
      { FERRY_WORKFLOW: "alice/ferry", FERRY_GITHUB_TOKEN: "hidden", REQUESTS: LIMIT, FERRY_OPEN: "true", LIMIT, FERRY_ALLOWED: "quay.io/*" },
      /^FERRY_WORKFLOW lets everyone/,
    ],
    [{ FERRY_ALLOWED: "HIDDEN" }, /^FERRY_ALLOWED/],
    [{ FERRY_DENIED: "hidden:1" }, /^FERRY_DENIED/],
  ]) {
    assert.throws(() => read({ ...good, ...settings }), (fault) => want.test(fault.message) && !/hidden/i.test(fault.message), JSON.stringify(settings));
  }
});

test("targets are read as people write them", () => {
  for (const [written, origin, path] of [
    ["docker.io/alice", "https://registry-1.docker.io", "alice"],
    ["alice", "https://registry-1.docker.io", "alice"],
    ["https://ghcr.io/Alice/", "https://ghcr.io", "alice"],
    ["harbor.example.com:8443/team/mirror", "https://harbor.example.com:8443", "team/mirror"],
    ["http://localhost:5000/alice", "http://localhost:5000", "alice"],
  ]) {
    const s = read({ ...good, FERRY_TARGET: written });
    assert.deepEqual([s.origin, s.scheme.target.path], [origin, path], written);
  }
});

test("the owner says what is served", () => {
  const s = read({ ...good, FERRY_OPEN: "true", LIMIT, FERRY_ALLOWED: "quay.io/* k8s.gcr.io/pause nginx", FERRY_DENIED: "quay.io/a/*" });
  const served = (host, path) => serves(s, { host, path });
  assert.ok(served("quay.io", "b/c") && served("registry.k8s.io", "pause") && served("docker.io", "library/nginx"));
  assert.ok(!served("quay.io", "a/b") && !served("registry.k8s.io", "pause/x") && !served("docker.io", "library/nginx2") && !served("gcr.io", "a/b"));
});

test("docs/edge.md names every setting", () => {
  const settings = readFileSync(new URL("../src/settings.ts", import.meta.url), "utf8").match(/FERRY_[A-Z_]+(?=\?:)/g);
  for (const page of ["docs/edge.md", "docs/edge.zh-CN.md"]) {
    for (const name of settings) assert.ok(docs(page).includes(`| \`${name}\``), `${page} has no row for ${name}`);
  }
});

function docs(page) {
  return readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
}
