// The answers to questions: manifests and lists as the target has them, and for
// blobs the address where the target sends those who want them.
import { hex } from "./names";
import { recall, remember, shares } from "./memory";
import { image, type Question } from "./question";
import { isDigest, isLongDigest, isTag, type Repository } from "./reference";
import { Refusal } from "./refusal";
import { belongs, requested } from "./requests";
import type { Settings } from "./settings";
import { drop, isRedirect, timely, type Answer, type Target } from "./target";

export interface Asked {
  s: Settings;
  target: Target;
  ctx: ExecutionContext;
  request: Request;
  q: Question;
  repository: Repository; // of q
  guest: string;
}

const maxManifest = 4 << 20;
const bodyTime = 30_000; // milliseconds for a body
const tagTTL = 60; // seconds for which a tag names what it named
const stale = 24 * 60 * 60; // and for which it does while the target does not answer
const announcedTTL = 60 * 60;
const manifestTTL = 7 * 24 * 60 * 60;

const index = "application/vnd.oci.image.index.v1+json";
const indexes = new Set([index, "application/vnd.docker.distribution.manifest.list.v2+json"]);
const accepted = [
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.artifact.manifest.v1+json",
  index,
  "application/vnd.oci.image.manifest.v1+json",
];

/** answer answers a question about a repository. */
export function answer(a: Asked): Promise<Response> {
  switch (a.q.kind) {
    case "manifests":
      return manifests(a);
    case "blobs":
      return blobs(a);
    case "tags":
      return tags(a);
    default:
      return referrers(a);
  }
}

interface Manifest {
  type: string;
  body: ArrayBuffer;
  digest: string;
}

async function manifests(a: Asked): Promise<Response> {
  const { request } = a;
  const accept = acceptable(request.headers.get("Accept") ?? "");
  const { manifest, warning } = await find(a, accept).catch(async (refusal: unknown) => {
    const { workflow } = a.s;
    if (!workflow || !(refusal instanceof Refusal) || !lacks(a, refusal)) throw refusal;
    const manifest = await requested(a, workflow, refusal, { arrived: () => present(a), announced: (earlier) => announced(a, earlier) });
    return manifest ? { manifest, warning: undefined } : find(a, accept);
  });
  const headers = new Headers({ "Docker-Content-Digest": manifest.digest, ETag: `"${manifest.digest}"` });
  if (warning) headers.set("Warning", warning);
  if (matches(request, manifest.digest)) return new Response(null, { status: 304, headers });
  return sent(request, headers, manifest.type, manifest.body);
}

/** find is the manifest that is asked for. */
async function find(a: Asked, accept: string): Promise<{ manifest: Manifest; warning?: string }> {
  return a.q.tag === undefined ? { manifest: await byDigest(a, a.q.digest!) } : byTag(a, a.q.tag, accept);
}

/** lacks reports whether a refusal says that the target has no such image, though it could. */
function lacks(a: Asked, { more }: Refusal): boolean {
  return (more.failure === "not-found" || more.failure === "private") && !(a.q.tag !== undefined && a.s.scheme.profile === "last");
}

/** present reports whether the target has the image that is asked for. */
async function present(a: Asked): Promise<boolean> {
  const { s, target, q } = a;
  const reference = q.tag !== undefined ? await s.scheme.tag(a.repository, q.tag) : isLongDigest(q.digest!) ? await s.scheme.longDigest(a.repository, q.digest!) : q.digest!;
  if (reference === undefined) return false;
  const headers = { Accept: accepted.join(", ") };
  const ask = { method: "HEAD", path: await s.scheme.path(a.repository), kind: "manifests", reference, headers } as const;
  return target.ask(ask, image(q), "MANIFEST_UNKNOWN").then(
    () => true,
    () => false,
  );
}

/** announced is the index of an image of which a run after an earlier one has brought some platforms, as internal/registry announces it. It is null if there will be none. */
async function announced(a: Asked, earlier: number): Promise<Manifest | null | undefined> {
  const { q } = a;
  const what = image(q);
  const path = await a.s.scheme.path(a.repository);
  const sum = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`announcement of ${what}`)));
  const found = await fetched(a, path, `digest-${sum}`, accepted.join(", ")).catch(() => undefined);
  if (!found) return undefined;
  const { annotations, config } = parse(found.body) as { annotations?: Record<string, string> | null; config?: { data?: unknown } | null };
  const type = annotations?.["io.github.imageferry.type"] ?? "";
  const [, run] = /\/(\d+)$/.exec(annotations?.["io.github.imageferry.run"] ?? "") ?? [];
  const data = config?.data;
  if (!(Number(run) > earlier) || !indexes.has(type) || typeof data !== "string" || !/^[A-Za-z0-9+/]+=*$/.test(data) || data.length % 4) return null;
  const body = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer;
  const digest = `sha256:${hex(await crypto.subtle.digest("SHA-256", body))}`;
  const { manifests } = (parse(body) ?? {}) as { manifests?: unknown };
  if (!Array.isArray(manifests) || (q.digest !== undefined && q.digest !== digest)) return null;
  // The client asks for the rest by digest, perhaps in another isolate, where nothing must be requested for that.
  const key = manifestKey(a, path, digest);
  await belongs(a, what, manifests.map((m: { digest?: unknown } | null) => String(m?.digest)));
  await remember(a.ctx, key, type, body, announcedTTL);
  return (await shares(key)) ? { type, body, digest } : null;
}

/** byTag is what a tag names now, or, while the target does not answer, what it last named. */
async function byTag(a: Asked, written: string, accept: string): Promise<{ manifest: Manifest; warning?: string }> {
  const { s, target, q } = a;
  const what = image(q);
  const tag = await s.scheme.tag(a.repository, written);
  if (tag === undefined || s.scheme.profile === "last") {
    const why = tag === undefined ? "the tag has no name at the target" : "names of the profile last do not identify the source of a tag";
    const message = `no place of this front can answer: ${why}, so ask by digest or add a place`;
    throw new Refusal(404, "MANIFEST_UNKNOWN", message, { failure: "not-found" });
  }
  const path = await s.scheme.path(a.repository);
  const key = `tag ${target.place} ${path}:${tag} ${accept}`;
  const known = await recall(key).then((item) => item && (JSON.parse(new TextDecoder().decode(item.body)) as { digest: string; checked: number }));
  const age = known && Math.floor(Date.now() / 1000) - known.checked;
  const note = (digest: string) => remember(a.ctx, key, "application/json", JSON.stringify({ digest, checked: Math.floor(Date.now() / 1000) }), stale);
  if (known && age! >= 0 && age! < tagTTL) return { manifest: await byDigest(a, known.digest) };
  try {
    if (known) {
      // By HEAD, which Docker Hub does not count.
      const { response } = await target.ask({ method: "HEAD", path, kind: "manifests", reference: tag, headers: { Accept: accept } }, what, "MANIFEST_UNKNOWN");
      if (response.headers.get("Docker-Content-Digest") === known.digest) {
        note(known.digest);
        return { manifest: await byDigest(a, known.digest) };
      }
    }
    const manifest = await fetched(a, path, tag, accept);
    note(manifest.digest);
    return { manifest };
  } catch (refusal) {
    if (!known || !(refusal instanceof Refusal) || refusal.status === 404 || refusal.status === 403 || age! >= stale) throw refusal;
    const warning = `110 ferry "no place answers: this is the manifest of the tag from ${age} s ago"`;
    return { manifest: await byDigest(a, known.digest), warning };
  }
}

async function byDigest(a: Asked, digest: string): Promise<Manifest> {
  const path = await a.s.scheme.path(a.repository);
  const held = await recall(manifestKey(a, path, digest));
  if (held) return { ...held, digest };
  if (isLongDigest(digest)) return byLongDigest(a, path, digest);
  // A digest does not depend on the client: all types are accepted.
  return fetched(a, path, digest, accepted.join(", "));
}

/** byLongDigest is a manifest by its sha512, which the target has under a tag. */
async function byLongDigest(a: Asked, path: string, digest: string): Promise<Manifest> {
  const tag = await a.s.scheme.longDigest(a.repository, digest);
  if (tag === undefined) throw new Refusal(404, "MANIFEST_UNKNOWN", "the image has no name at the target", { failure: "not-found" });
  const { type, body } = await fetched(a, path, tag, accepted.join(", "));
  if (`sha512:${hex(await crypto.subtle.digest("SHA-512", body))}` !== digest) throw a.target.failed("not-found", image(a.q), "MANIFEST_UNKNOWN");
  remember(a.ctx, manifestKey(a, path, digest), type, body, manifestTTL);
  return { type, body, digest };
}

const manifestKey = (a: Asked, path: string, digest: string) => `manifest ${a.target.place} ${path}@${digest}`;

/** fetched is a manifest from the target, which must be one, and have the digest by which it was asked for. */
async function fetched(a: Asked, path: string, reference: string, accept: string): Promise<Manifest> {
  const { target, q } = a;
  const what = image(q);
  const { response } = await target.ask({ method: "GET", path, kind: "manifests", reference, headers: { Accept: accept } }, what, "MANIFEST_UNKNOWN");
  const body = await readAll(a, response, maxManifest);
  const digest = `sha256:${hex(await crypto.subtle.digest("SHA-256", body))}`;
  const self = parse(body);
  const declared = (response.headers.get("Content-Type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  const type = typeof self?.mediaType === "string" ? self.mediaType : declared;
  if (!self || !(self.schemaVersion || self.mediaType) || !mediaType.test(type) || (isDigest(reference) && reference !== digest)) {
    throw target.failed("corrupt", what);
  }
  remember(a.ctx, manifestKey(a, path, digest), type, body, manifestTTL);
  return { type, body, digest };
}

async function blobs(a: Asked): Promise<Response> {
  const { s, target, request, q } = a;
  const what = image(q);
  const headers = new Headers({ ETag: `"${q.digest}"` });
  if (matches(request, q.digest!)) return new Response(null, { status: 304, headers });
  const path = await s.scheme.path(a.repository);
  const method = request.method as "GET" | "HEAD";
  const range = wanted(request, q.digest!);
  // Unless they are relayed, no more than a byte of what the target sends is read.
  const own = relayed(s, new URL(s.origin).hostname);
  const ask = { method, path, kind: "blobs", reference: q.digest!, headers: own ? range : method === "GET" ? { Range: "bytes=0-0" } : {} };
  const got = await target.ask(ask, what, "BLOB_UNKNOWN");
  if (isRedirect(got.response.status)) {
    const to = target.leads(got);
    await drop(got.response);
    if (!to) throw target.failed("host-forbidden", what);
    if (!relayed(s, to.hostname)) return redirect(to.href);
    let response: Response;
    try {
      response = await timely(to.href, { method, headers: range });
    } catch {
      throw target.failed("network", what);
    }
    return relay(a, headers, response);
  }
  if (method === "HEAD" || own) return relay(a, headers, got.response);
  return carried(a, got);
}

/** carried handles blobs that the target sends directly, without a redirect. */
async function carried(a: Asked, got: Answer): Promise<Response> {
  await drop(got.response);
  if (got.anybody) return redirect(got.url);
  const host = new URL(got.url).hostname;
  throw new Refusal(403, "DENIED", `${host} serves blobs itself and requires a token: the owner of this front can add it to FERRY_RELAY`, {
    failure: "unsupported",
    place: a.target.place,
  });
}

/** redirect sends a client on. The address may be signed, so nobody keeps it. */
function redirect(to: string): Response {
  return new Response(null, { status: 307, headers: { Location: to, "Cache-Control": "no-store" } });
}

const relayed = (s: Settings, host: string) => s.relay.some((r) => host === r || host.endsWith(`.${r}`));

/** relay sends the bytes of an answer on, or, of HEAD, what it says of them. */
async function relay(a: Asked, headers: Headers, response: Response): Promise<Response> {
  const { status } = response;
  if (status === 416) {
    await drop(response);
    const total = response.headers.get("Content-Range");
    throw new Refusal(416, "UNSUPPORTED", "the range is outside the blob", total ? { headers: { "Content-Range": total } } : {});
  }
  if (status !== 200 && status !== 206) {
    await drop(response);
    throw a.target.failed(status === 404 ? "not-found" : status >= 500 ? "unavailable" : "corrupt", image(a.q), "BLOB_UNKNOWN");
  }
  for (const name of ["Content-Length", "Content-Range"]) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  headers.set("Accept-Ranges", "bytes");
  headers.set("Content-Type", "application/octet-stream");
  headers.set("Docker-Content-Digest", a.q.digest!);
  return new Response(a.request.method === "HEAD" ? null : response.body, { status, headers });
}

/** wanted is the range that a client asks for, if what it has of the blob is of this one. */
function wanted(request: Request, digest: string): Record<string, string> {
  const range = request.headers.get("Range");
  const condition = request.headers.get("If-Range");
  return range && (!condition || condition.replaceAll('"', "") === digest) ? { Range: range } : {};
}

/** mixed reports whether a repository of the target can have tags of several sources. */
const mixed = (s: Settings) => s.scheme.profile === "last" || s.scheme.profile === "one";

async function tags(a: Asked): Promise<Response> {
  const { s, target, q } = a;
  const what = image(q);
  if (mixed(s)) throw new Refusal(404, "NAME_UNKNOWN", `names of the profile ${s.scheme.profile} do not identify the source of a tag`, { failure: "not-found" });
  const path = await s.scheme.path(a.repository);
  const { response } = await target.ask({ method: "GET", path, kind: "tags", reference: "list", query: encode(q.query) }, what, "NAME_UNKNOWN");
  const list = parse(await readAll(a, response, maxManifest)) as { tags?: unknown } | undefined;
  if (!list) throw target.failed("corrupt", what);
  // Tags that Ferry made up for digests are left out.
  const names = (Array.isArray(list.tags) ? list.tags : []).filter((t) => typeof t === "string" && isTag(t) && !/^digest-[0-9a-f]{64}$/.test(t));
  const headers = new Headers();
  link(a, headers, "list", response);
  return sent(a.request, headers, "application/json", encoded({ name: q.written, tags: names }));
}

interface Descriptor {
  artifactType?: string;
}

async function referrers(a: Asked): Promise<Response> {
  const { q } = a;
  const artifactType = q.query.get("artifactType");
  q.query.delete("artifactType");
  const path = await a.s.scheme.path(a.repository);
  let [found, response] = await referring(a, path, "referrers", q.digest!, encode(q.query));
  // Registries without the API have the tag that clients keep instead
  // (specification, "Referrers Tag Schema").
  if (!found.length && !mixed(a.s)) [found, response] = await referring(a, path, "manifests", q.digest!.replace(":", "-"), "");
  const headers = new Headers();
  if (artifactType !== undefined) {
    found = found.filter((d) => d.artifactType === artifactType);
    headers.set("OCI-Filters-Applied", "artifactType");
  }
  if (response) link(a, headers, q.digest!, response, artifactType);
  return sent(a.request, headers, index, encoded({ schemaVersion: 2, mediaType: index, manifests: found }));
}

/** referring is what a list of referrers holds: nothing, if there is no list. */
async function referring(a: Asked, path: string, kind: string, reference: string, query: string): Promise<[Descriptor[], Response | undefined]> {
  try {
    const { response } = await a.target.ask({ method: "GET", path, kind, reference, query, headers: { Accept: index } }, image(a.q), "MANIFEST_UNKNOWN");
    const list = parse(await readAll(a, response, maxManifest)) as { manifests?: unknown } | undefined;
    return [Array.isArray(list?.manifests) ? (list.manifests as Descriptor[]) : [], response];
  } catch (refusal) {
    if (refusal instanceof Refusal && (refusal.status === 404 || refusal.status === 502)) return [[], undefined];
    throw refusal;
  }
}

/** link tells where the next page is, by the name under which the client knows the repository. Of the target's link no more than the query is used. */
function link(a: Asked, headers: Headers, reference: string, response: Response, artifactType?: string): void {
  const next = /<([^>]*)>\s*(?:;[^,]*\brel="?next"?|;?\s*(?:,|$))/i.exec(response.headers.get("Link") ?? "");
  if (!next) return;
  const query = new URLSearchParams(next[1]!.split(/\?(.*)/s)[1] ?? "");
  query.delete("ns");
  if (artifactType !== undefined) query.set("artifactType", artifactType);
  if (a.q.namespace !== undefined) query.set("ns", a.q.namespace);
  headers.set("Link", `</v2/${a.q.written}/${a.q.kind}/${reference}?${query}>; rel="next"`);
}

/** sent is an answer with a small body, which HEAD leaves out. */
export function sent(request: Request, headers: Headers, type: string, body: ArrayBuffer): Response {
  headers.set("Content-Type", type);
  headers.set("Content-Length", String(body.byteLength));
  return new Response(request.method === "HEAD" ? null : body, { headers });
}

/** readAll reads a bounded body in a bounded time. */
async function readAll(a: Asked, response: Response, limit: number): Promise<ArrayBuffer> {
  const what = image(a.q);
  const reader = response.body?.getReader();
  const late = setTimeout(() => void reader?.cancel().catch(() => undefined), bodyTime);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      length += chunk.value.length;
      if (length > limit) {
        await reader?.cancel();
        throw a.target.failed("corrupt", what);
      }
      chunks.push(chunk.value);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : a.target.failed("network", what);
  } finally {
    clearTimeout(late);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body.buffer;
}

/** parse reads a JSON object, undefined if it is none. */
function parse(body: ArrayBuffer): { schemaVersion?: unknown; mediaType?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const encoded = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).buffer as ArrayBuffer;
const encode = (query: Map<string, string>) => new URLSearchParams([...query]).toString();

/** RFC 6838 §4.2, in lower case. */
const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** acceptable are the media types that a client takes, in one order. Who names none, or any, gets what Ferry knows. */
function acceptable(header: string): string {
  const types = new Set<string>();
  for (const part of header.split(",").slice(0, 64)) {
    const type = part.split(";", 1)[0]!.trim().toLowerCase();
    if (type === "*/*") accepted.forEach((t) => types.add(t));
    else if (mediaType.test(type) && types.size < 32) types.add(type);
  }
  return [...(types.size ? types : accepted)].sort().join(", ");
}

/** matches reports whether an If-None-Match names the digest. */
function matches(request: Request, digest: string): boolean {
  const header = request.headers.get("If-None-Match");
  return !!header && header.split(",").some((tag) => [`"${digest}"`, digest, "*"].includes(tag.trim().replace(/^W\//, "")));
}
