// Searches the catalog as you type. Data becomes text, never markup.
"use strict";
const chinese = /^zh/.test(navigator.language);
const say = (en, zh) => (chinese ? zh : en);
const most = 50; // rows that are shown at once
const longest = 6000; // of an address, in bytes
const $ = (id) => document.getElementById(id);
let rows = [], texts = [], names = [], vocabulary = [], clients = [], tags;

const get = async (path) => {
  const answer = await fetch(`api/v1/${path}.json`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
};

const add = (parent, name, text) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
};

// The letters of a word as bits: most words that are not similar are told by them.
const letters = (word) => [...word].reduce((bits, letter) => bits | (1 << (letter.charCodeAt(0) % 31)), 0);

const ones = (bits) => {
  let n = 0;
  for (; bits; bits &= bits - 1) n++;
  return n;
};

// How many letters are missing, too many, others or in the wrong order.
const distance = (a, b) => {
  let before = [], last = [...b, 0].map((_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const now = [i];
    for (let j = 1; j <= b.length; j++) {
      now[j] = Math.min(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] !== b[j - 1]));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) now[j] = Math.min(now[j], before[j - 2] + 1);
    }
    [before, last] = [last, now];
  }
  return last[b.length];
};

const prepare = () => {
  texts = rows.map(([source, mirror, tag]) => `${source} ${mirror} ${tag}`.toLowerCase());
  names = rows.map(([source]) => source.slice(source.lastIndexOf("/") + 1));
  vocabulary = [...new Set(rows.flatMap(([source]) => source.split(/[/._:-]/)))].map((word) => [word, letters(word)]);
};

const similar = (word) => {
  const limit = word.length < 4 ? 0 : word.length < 8 ? 1 : 2;
  const bits = letters(word);
  return vocabulary.filter(([w, b]) => Math.abs(w.length - word.length) <= limit && ones(b ^ bits) <= 2 * limit && distance(word, w) <= limit).map(([w]) => w);
};

const words = (query) => query.toLowerCase().split(/[\s:@]+/).filter(Boolean);

// The rows that have all words, the best first.
const search = (query) => {
  let found = rows.map((_, i) => i);
  const best = new Set();
  for (const word of words(query)) {
    const having = (choice) => found.filter((i) => choice.some((w) => texts[i].includes(w) || tags?.[i].includes(w)));
    let choice = [word], left = having(choice);
    if (!left.length) left = having((choice = similar(word)));
    for (const i of left) if (choice.includes(names[i])) best.add(i);
    found = left;
  }
  const score = (i) => rows[i][0].length - (best.has(i) ? 1000 : 0);
  return found.sort((a, b) => score(a) - score(b)).map((i) => rows[i]);
};

// The repository of a reference in full, and its tag or digest.
const parse = (query) => {
  const [, name, rest] = /^(\S*?)((?::[\w.-]+)?(?:@\w+:\w+)?)$/.exec(query.trim()) ?? [, "", ""];
  const parts = name.split("/");
  if (parts.length < 2 || !/[.:]|^localhost$/.test(parts[0])) parts.unshift("docker.io");
  if (parts[0] === "docker.io" && parts.length === 2) parts.splice(1, 0, "library");
  return [parts.join("/"), rest];
};

const commands = (image) => {
  const [, tag, digest] = /(?::([\w.-]+))?(?:@(.+))?$/.exec(image.source.slice(image.source.lastIndexOf("/")));
  const client = clients[$("client").selectedIndex];
  const lines = client[digest ? (tag ? "tag@digest" : "digest") : "tag"];
  const values = { "{mirror}": image.mirror, "{repository}": image.source.replace(/(:[\w.-]+)?(@.+)?$/, ""), "{tag}": tag, "{digest}": digest };
  // Other content must not get the name of a digest.
  return (digest && !image.equal ? lines.slice(0, 1) : lines).map((line) => line.replace(/{\w+}/g, (name) => values[name])).join("\n");
};

const size = (bytes) => (bytes ? `${(bytes / 1e6).toFixed(1)} MB` : "");

const open = async (details, source, wanted) => {
  if (details.dataset.open) return;
  details.dataset.open = "1";
  const [host, ...path] = source.split("/");
  const file = await get(`images/${host.replace(":", "_")}/${path.join("/").replaceAll(".json/", ".json_/")}`);
  const table = add(details, "table");
  const head = add(add(table, "thead"), "tr");
  for (const text of [say("Tag", "标签"), say("Platforms", "平台"), say("Size", "大小"), say("Changed", "更新"), say("Digest", "摘要"), say("Commands", "命令")]) add(head, "th", text).scope = "col";
  const body = add(table, "tbody");
  const shown = add(details, "pre");
  shown.role = "status";
  shown.hidden = true;
  const tagOf = (image) => image.source.slice(source.length + 1);
  const named = file.images.filter((image) => wanted.slice(1) === tagOf(image));
  const fits = (image) => named.length ? named.includes(image) : words(wanted).some((word) => tagOf(image).toLowerCase().includes(word) || image.digest.includes(word));
  for (const image of file.images.sort((a, b) => fits(b) - fits(a))) {
    const line = add(body, "tr");
    if (fits(image)) line.className = "chosen";
    const tag = add(line, "th", tagOf(image));
    tag.scope = "row";
    add(line, "td", image.platforms.join(" "));
    add(line, "td", size(image.size));
    add(line, "td", image.changed.slice(0, 10));
    const digest = add(line, "td");
    add(digest, "code", image.digest);
    const notes = [];
    if (image.source_digest) notes.push(image.equal ? say("same as the source", "与源相同") : say("not the same as the source", "与源不同"));
    if (image.moved) notes.push(say("moved ", "变动于 ") + image.moved.slice(0, 10));
    if (image.gone) notes.push(say("gone at the source since ", "源已不存在，自 ") + image.gone.slice(0, 10));
    add(digest, "div", notes.join(" · "));
    for (const other of image.elsewhere ?? []) {
      const only = other.platform ? ` (${other.platform})` : "";
      add(digest, "div", say("The same content", "内容相同") + only + say(": ", "：") + other.mirror);
    }
    const button = add(add(line, "td"), "button");
    const label = (text) => {
      button.textContent = text;
      button.ariaLabel = `${text} ${image.source}`;
    };
    label(say("Copy", "复制"));
    button.addEventListener("click", async () => {
      shown.textContent = commands(image);
      shown.hidden = false;
      await navigator.clipboard.writeText(shown.textContent);
      label(say("Copied", "已复制"));
    });
  }
  return file.images.filter(fits).length;
};

// What to do about an image that is not here.
const ask = (query) => {
  const p = $("request");
  p.replaceChildren();
  p.hidden = !query || !p.dataset.form;
  if (p.hidden) return;
  const address = p.dataset.form + encodeURIComponent(query);
  const fits = address.length <= longest;
  const link = add(p, "a", fits ? say(`Request ${query}`, `请求搬运 ${query}`) : say("Open the form, and paste this text into it:", "打开表单，并粘贴以下文本："));
  link.href = fits ? address : p.dataset.form;
  if (!fits) add(p, "pre", query);
};

let shows = 0; // queries that were begun
const show = async () => {
  const typed = $("q").value.trim();
  const query = typed.replace(/^\w+ pull\s+/, "");
  const now = ++shows;
  const late = () => now !== shows; // something else was typed meanwhile
  $("found").ariaBusy = "true";
  history.replaceState(null, "", "#" + encodeURIComponent(typed));
  const hex = /^(?:sha\d+:)?([0-9a-f]{6,})$/.exec(query);
  let found = hex ? [] : search(query), exact;
  if (!hex && !tags && (/[\d:]/.test(query) || !found.length)) {
    tags = []; // asked for once
    tags = (await get("tags")).tags;
    if (late()) return;
    found = search(query);
  }
  let [name, rest] = parse(query);
  if (hex) {
    const { digests } = await get(`digests/${hex[1].slice(0, 2)}`).catch(() => ({ digests: [] }));
    if (late()) return;
    const sources = digests.filter(([digest]) => digest.startsWith(hex[1])).map(([, source]) => source.replace(/(:[\w.-]+)?(@.+)?$/, ""));
    found = rows.filter(([source]) => sources.includes(source));
    if (found.length) [name, rest] = [found[0][0], hex[1]];
  }
  exact = found.find(([source]) => source === name);
  if (exact) found = [exact, ...found.filter((row) => row !== exact)];
  ask(exact && !rest ? "" : query);
  $("count").textContent = say(found.length === 1 ? "1 repository" : `${found.length} repositories`, `${found.length} 个镜像库`);
  $("found").replaceChildren();
  for (const row of found.slice(0, most)) {
    const [source, , tag, count] = row;
    const details = add(add($("found"), "li"), "details");
    add(details, "summary", `${source}${/^\w+:/.test(tag) ? "@" : ":"}${tag} (${count})`);
    details.addEventListener("toggle", () => details.open && open(details, source, rest || query));
    if (row !== exact || !rest) continue;
    details.open = true;
    if (await open(details, source, rest) && !late()) ask("");
  }
  if (!late()) $("found").ariaBusy = "false";
};

// Arrows lead through results and buttons; Enter at the field leads to the first.
const move = (event) => {
  const q = $("q");
  if (event.key === "/" && document.activeElement !== q) {
    event.preventDefault();
    q.focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1, Enter: document.activeElement === q ? 1 : 0 }[event.key];
  if (!step || document.activeElement === $("client")) return;
  const stops = [q, ...document.querySelectorAll("#found summary, #found details[open] button")];
  const next = stops[stops.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
};

const remember = (value) => {
  try {
    if (value) localStorage.client = value;
    return localStorage.client;
  } catch {
    // A page from a disk may not keep anything.
  }
};

const start = async () => {
  if (chinese) {
    document.documentElement.lang = "zh-CN";
    for (const element of document.querySelectorAll("[data-zh]")) element.textContent = element.dataset.zh;
    const kinds = { copied: "新增", moved: "变动", gone: "源已不存在" };
    for (const element of document.querySelectorAll("#fresh span")) element.textContent = kinds[element.className];
  }
  let index;
  [index, { clients }] = await Promise.all([get("index"), get("clients")]);
  rows = index.repositories;
  prepare();
  for (const { name } of clients) add($("client"), "option", name).selected = name === remember();
  $("client").addEventListener("change", () => remember($("client").value));
  $("search").hidden = false;
  $("off").hidden = true;
  $("q").value = decodeURIComponent(location.hash.slice(1));
  $("q").addEventListener("input", show);
  addEventListener("keydown", move);
  show();
};
start().catch(() => {}); // without a server; the page says so
