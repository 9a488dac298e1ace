// Searches the catalog as you type. Data becomes text, never markup.
"use strict";
const chinese = /^zh/.test(navigator.language);
const say = (en, zh) => (chinese ? zh : en);
const most = 50; // rows that are shown at once
const $ = (id) => document.getElementById(id);
let rows = [];

const add = (parent, name, text) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
};

// Letters of a word in their order, for typing errors.
const loosely = (word, text) => {
  let at = 0;
  for (const letter of text) if (letter === word[at]) at++;
  return at === word.length;
};

const search = (query) => {
  const words = query.toLowerCase().split(/[\s:@]+/).filter(Boolean);
  const score = ([source, mirror, tag]) => {
    const text = `${source} ${mirror} ${tag}`.toLowerCase();
    let sum = source.length;
    for (const word of words) {
      if (text.includes(word)) continue;
      if (word.length < 4 || !loosely(word, source.slice(source.lastIndexOf("/") + 1))) return Infinity;
      sum += 1000;
    }
    return sum;
  };
  return rows.map((row) => [score(row), row]).filter(([s]) => s < Infinity).sort((a, b) => a[0] - b[0]).map(([, row]) => row);
};

const size = (bytes) => (bytes ? `${(bytes / 1e6).toFixed(1)} MB` : "");

const open = async (details, source) => {
  details.dataset.open = "1";
  const [host, ...path] = source.split("/");
  const answer = await fetch(`api/v1/images/${host.replace(":", "_")}/${path.join("/")}/_.json`);
  for (const image of (await answer.json()).images) {
    const line = add(details, "p");
    add(line, "strong", image.source.slice(source.length + 1));
    add(line, "span", ` ${image.platforms.join(" ")} ${size(image.size)} ${image.changed.slice(0, 10)} `);
    add(line, "span", image.equal ? say("same as the source", "与源相同") : say("not the same as the source", "与源不同"));
    if (image.gone) add(line, "span", say(" · gone at the source", " · 源已不存在"));
    add(details, "code", image.digest);
    const text = image.docker.join("\n");
    add(details, "pre", text);
    const button = add(details, "button", say("Copy", "复制"));
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = say("Copied", "已复制");
    });
  }
};

const show = () => {
  const query = $("q").value.trim();
  const found = search(query);
  const request = $("request");
  request.hidden = !query || !request.dataset.form;
  request.href = request.dataset.form + encodeURIComponent(query);
  request.textContent = say(`Ask for ${query}`, `请求搬运 ${query}`);
  $("found").replaceChildren();
  $("count").textContent = say(`${found.length} repositories`, `${found.length} 个镜像库`);
  for (const [source, , tag, count] of found.slice(0, most)) {
    const details = add(add($("found"), "li"), "details");
    add(details, "summary", `${source}${tag.includes(":") ? "@" : ":"}${tag} (${count})`);
    details.addEventListener("toggle", () => details.open && !details.dataset.open && open(details, source));
  }
};

const start = async () => {
  if (chinese) {
    document.documentElement.lang = "zh-CN";
    for (const element of document.querySelectorAll("[data-zh]")) element.textContent = element.dataset.zh;
  }
  rows = (await (await fetch("api/v1/index.json")).json()).repositories;
  $("search").hidden = false;
  $("q").value = decodeURIComponent(location.hash.slice(1));
  $("q").addEventListener("input", show);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== $("q")) {
      event.preventDefault();
      $("q").focus();
    }
  });
  show();
};
start();
