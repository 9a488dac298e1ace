// Holds the names that the Worker gives to those that Ferry gives.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const { Scheme } = await load("names");
const { repository } = await load("reference");

for (const { target, profile, labels, names } of JSON.parse(readFileSync(new URL("names.json", import.meta.url)))) {
  test(`${target} ${profile}${labels ? " with labels" : ""}`, async () => {
    const [host, namespace] = cut(target);
    const scheme = new Scheme({ host, path: namespace }, profile, new Map(Object.entries(labels ?? {})));
    const wrong = [];
    for (const [source, want] of Object.entries(names)) {
      const colon = source.lastIndexOf(":");
      const r = repository(...cut(source.slice(0, colon)));
      const tag = await scheme.tag(r, source.slice(colon + 1));
      const got = tag === undefined ? "" : `${await scheme.path(r)}:${tag}`.slice(namespace.length + 1);
      if (got !== want) wrong.push({ source, got, want });
    }
    assert.deepEqual(wrong, []);
  });
}

function cut(text) {
  const slash = text.indexOf("/");
  return [text.slice(0, slash), text.slice(slash + 1)];
}
