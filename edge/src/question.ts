// What a client wants to know, as in internal/front; test/questions.json holds the
// two together. A client's words choose among what is configured.
import { dockerHub } from "./known";
import { canonicalHost, isDigest, isLongDigest, isTag, repository, text, type Repository } from "./reference";
import { Refusal } from "./refusal";

export type Kind = "base" | "manifests" | "blobs" | "tags" | "referrers";

/** The rules by which a source is found, in their order. */
export type Rule = "host" | "namespace" | "path" | "default";

const maxPath = 1024;

/** Question is about a repository of a source, or, with kind base, about nothing. */
export interface Question {
  kind: Kind;
  repository?: Repository;
  tag?: string;
  digest?: string;
  namespace?: string; // the parameter ns as it was written
  rule?: Rule;
  written: string; // the path of the repository as it was written
  query: Map<string, string>; // what is left of it: pages and filters
}

/** image is what is asked for, canonical, for answers and the log. */
export function image(q: Question): string {
  if (!q.repository) return "";
  return text(q.repository) + (q.tag ? `:${q.tag}` : q.digest ? `@${q.digest}` : "");
}

const invalid = (message: string) => new Refusal(400, "NAME_INVALID", message);
const unknownHost = (host: string) => new Refusal(404, "NAME_UNKNOWN", `${host} is not a source of this front: its owner can add it to the sources`);

/** Names knows every host that a question can be about: those that are configured, and no other. */
export class Names {
  private readonly sources: Set<string>;
  private readonly labels = new Map<string, string>(); // host by label
  private readonly called = new Map<string, string>(); // source by the name that the front is called by
  private readonly stars: string[] = []; // what follows the label in a name with a star

  /** Sources are canonical. A name "*.front.example" stands for the source whose label replaces the star. */
  constructor(sources: Iterable<string>, labels: ReadonlyMap<string, string>, called: Iterable<readonly [name: string, source: string]>) {
    this.sources = new Set(sources);
    for (const [host, label] of labels) if (this.sources.has(host)) this.labels.set(label, host);
    for (const [name, source] of called) {
      if (name.startsWith("*")) this.stars.push(name.slice(1).toLowerCase());
      else this.called.set(name.toLowerCase(), source);
    }
  }

  /** question reads a request: the name the front was called by, and the path and query as they came. */
  question(host: string, path: string, query: string): Question {
    const { kind, repository: written, reference } = split(path);
    const values = parameters(query);
    const namespace = values.get("ns");
    values.delete("ns");
    const q: Question = { kind, written, query: values, ...(namespace === undefined ? {} : { namespace }) };
    if (namespace === "") throw invalid("the parameter ns is empty");
    const called = this.byHost(host);
    const named = namespace === undefined ? undefined : this.byNamespace(namespace);
    if (called && named && called !== named) {
      throw invalid(
        `this host name of the front stands for ${called}, but the parameter ns is ${named}: use another host name of the front, or leave out ns`,
      );
    }
    if (kind === "base") return q;
    let source: string;
    let rest = written;
    if (called) [q.rule, source] = ["host", called];
    else if (named) [q.rule, source] = ["namespace", named];
    else [q.rule, source, rest] = this.byPath(written);
    const r = repository(source, rest);
    if (!r) {
      throw invalid("the repository name is not valid: use lower-case letters and digits, joined by single dots, underscores or dashes, with slashes between the components");
    }
    q.repository = r;
    if (kind === "tags") return q;
    if (kind === "manifests" && !reference.includes(":")) {
      if (!isTag(reference)) throw new Refusal(404, "MANIFEST_UNKNOWN", "the tag is not valid");
      q.tag = reference;
      return q;
    }
    if (!isDigest(reference) && !(kind === "manifests" && isLongDigest(reference))) {
      const form = kind === "manifests" ? "sha256: and 64, or sha512: and 128, hexadecimal digits" : "sha256: and 64 hexadecimal digits";
      throw new Refusal(400, "DIGEST_INVALID", `the digest is not ${form} in lower case`);
    }
    q.digest = reference;
    return q;
  }

  private byHost(host: string): string | undefined {
    host = host.toLowerCase().replace(/:[0-9]*$/, "").replace(/\.$/, "");
    const source = this.called.get(host);
    if (source) return source;
    for (const star of this.stars) {
      if (!host.endsWith(star)) continue;
      const label = host.slice(0, -star.length);
      if (label === "" || label.includes(".")) continue;
      const labelled = this.labels.get(label);
      if (!labelled) throw new Refusal(404, "NAME_UNKNOWN", "no source has the label in this host name of the front");
      return labelled;
    }
    return undefined;
  }

  private byNamespace(ns: string): string {
    const canonical = canonicalHost(ns);
    if (canonical === undefined) throw invalid("the parameter ns is not a registry's host name");
    if (!this.sources.has(canonical)) throw unknownHost(canonical);
    return canonical;
  }

  private byPath(path: string): [Rule, source: string, rest: string] {
    const slash = path.indexOf("/");
    const first = path.slice(0, Math.max(slash, 0));
    const rest = path.slice(slash + 1);
    if (slash >= 0 && /[.:]/.test(first)) {
      const canonical = canonicalHost(first);
      if (canonical === undefined) throw invalid("the first component of the path is not a registry's host name");
      if (!this.sources.has(canonical)) throw unknownHost(canonical);
      return ["path", canonical, rest];
    }
    // Names on Docker Hub have two components, so that a third tells a label.
    const labelled = this.labels.get(first);
    if (labelled && rest.includes("/")) return ["path", labelled, rest];
    if (!this.sources.has(dockerHub)) throw unknownHost(dockerHub);
    return ["default", dockerHub, path];
  }
}

const endpoint = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/([^/]*)$/s;

/** split takes a path apart. What is not exactly a path of the specification is refused. */
function split(path: string): { kind: Kind; repository: string; reference: string } {
  if (path.length > maxPath) throw invalid(`the path is longer than ${maxPath} bytes`);
  // An escaped colon is usual in digests.
  path = path.replace(/%3a/gi, ":");
  if (path.includes("%")) throw invalid("the path has needless escapes: write names without them");
  if (path === "/v2/" || path === "/v2") return { kind: "base", repository: "", reference: "" };
  if (!path.startsWith("/v2/")) throw new Refusal(404, "NAME_UNKNOWN", "this is a container registry: its paths begin with /v2/");
  const found = endpoint.exec(path);
  const [, name, kind, reference] = found ?? [];
  if (!found || kind === "blobs/uploads" || (kind === "tags" && reference !== "list")) {
    throw new Refusal(404, "UNSUPPORTED", "there is no such endpoint: this registry serves manifests, blobs, tags/list and referrers of a repository");
  }
  return { kind: kind as Kind, repository: name!, reference: reference! };
}

/** parameters are those of a query, each at most once. */
function parameters(query: string): Map<string, string> {
  const values = new Map<string, string>();
  if (query.length > maxPath || query.includes(";")) throw invalid("the query cannot be read");
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const [key, value] = pair.split(/=(.*)/s).map((part) => unescape(part)) as [string, string?];
    if (["token", "access_token", "password", "authorization"].includes(key.toLowerCase())) {
      throw new Refusal(
        400,
        "UNAUTHORIZED",
        "a token in the query would get into logs: send it as the password, as a bearer token or as the first component of the path",
      );
    }
    if (values.has(key)) throw invalid("a parameter appears twice");
    values.set(key, value ?? "");
  }
  return values;
}

function unescape(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    throw invalid("the query cannot be read");
  }
}
