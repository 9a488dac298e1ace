// What the owner decided: the variables and secrets of the Worker.
import { allowed as wellKnown, dockerHub, labels as builtIn, of } from "./known";
import { profiles, Scheme, type Profile } from "./names";
import { Names } from "./question";
import { canonicalHost, repository, text, type Repository } from "./reference";
import type { Workflow } from "./requests";

/** Env are the settings as the platform hands them over. docs/edge.md describes them. */
export interface Env {
  FERRY_TARGET?: string;
  FERRY_PROFILE?: string;
  FERRY_USERNAME?: string;
  FERRY_PASSWORD?: string;
  FERRY_TOKEN_SERVER?: string;
  FERRY_TOKENS?: string;
  FERRY_OPEN?: string;
  FERRY_SOURCES?: string;
  FERRY_ALLOWED?: string;
  FERRY_DENIED?: string;
  FERRY_NAMES?: string;
  FERRY_RELAY?: string;
  FERRY_WORKFLOW?: string;
  FERRY_GITHUB_TOKEN?: string;
  FERRY_FIRST?: string;
  GITHUB_API_URL?: string; // of tests
  LIMIT?: RateLimit;
  REQUESTS?: RateLimit;
}

/** Pattern is a repository, or all that begin with base. */
interface Pattern {
  base: string;
  below: boolean;
}

export interface Settings {
  scheme: Scheme;
  origin: string; // of the target, "https://registry-1.docker.io" for example
  login?: { username: string; password: string };
  tokenServer?: string; // a host, with its port if it has one
  tokens: string[];
  names: Names;
  allowed: Pattern[];
  denied: Pattern[];
  relay: string[]; // hosts whose blobs go through the Worker, with all below them
  limit?: RateLimit;
  workflow?: Workflow;
}

/** Fault is what is wrong with the settings: a clause for each, which holds no value. */
export class Fault extends Error {
  constructor(readonly faults: string[]) {
    super(faults.join("; "));
  }
}

const token = /^[A-Za-z0-9_-]{20,128}$/;

/** read reads the settings. It throws a Fault with all that is wrong. */
export function read(env: Env): Settings {
  const faults: string[] = [];
  const list = (value: string | undefined) => (value ?? "").split(/[\s,]+/).filter((word) => word !== "");

  const tokens = list(env.FERRY_TOKENS);
  const open = env.FERRY_OPEN === "true";
  const allowed = patterns(env, "FERRY_ALLOWED", list, faults);
  if (!tokens.every((t) => token.test(t))) faults.push("FERRY_TOKENS has a token that is not 20 to 128 letters, digits, dashes and underscores: create one with openssl rand -hex 20");
  if (!tokens.length && !open) faults.push("FERRY_TOKENS is not set, so nobody may use this front: wrangler secret put FERRY_TOKENS");
  if (open && (!allowed.length || !env.LIMIT)) faults.push("FERRY_OPEN admits everyone: set FERRY_ALLOWED as well, and keep the rate limit LIMIT");

  // A host, or a host and the label of its names.
  const labels = new Map<string, string>();
  const sources = new Set(wellKnown.map((host) => canonicalHost(host)!));
  for (const word of list(env.FERRY_SOURCES)) {
    const [written, label] = word.split("=") as [string, string?];
    const host = canonicalHost(written);
    if (host === undefined) faults.push("FERRY_SOURCES has a word that is not a host: write hosts such as registry.example.com");
    else {
      sources.add(host);
      if (label !== undefined) labels.set(host, label);
    }
  }
  const called = list(env.FERRY_NAMES).map((word) => {
    const [name, source = ""] = word.split("=") as [string, string?];
    const host = canonicalHost(source);
    if (name.startsWith("*.") ? source !== "" : host === undefined || !sources.has(host)) {
      faults.push("FERRY_NAMES has a name without a configured source: write *.front.example.com, or gcr.front.example.com=gcr.io");
    }
    return [name, host ?? ""] as const;
  });

  const { target, plain } = readTarget(env.FERRY_TARGET ?? "");
  const profile = (env.FERRY_PROFILE || "flat") as Profile;
  if (!target) faults.push("FERRY_TARGET is not a registry and namespace: write it as docker.io/USER");
  if (!profiles.includes(profile)) faults.push(`FERRY_PROFILE is none of ${profiles.join(", ")}`);
  if (!env.FERRY_USERNAME !== !env.FERRY_PASSWORD) faults.push("FERRY_USERNAME and FERRY_PASSWORD: one of them is not set");
  let scheme: Scheme | undefined;
  if (target) {
    try {
      scheme = new Scheme(target, profile, labels);
    } catch (error) {
      faults.push(`FERRY_TARGET ${(error as Error).message}`);
    }
  }
  const denied = patterns(env, "FERRY_DENIED", list, faults);
  const workflow = readWorkflow(env, faults);
  if (workflow && open) faults.push("FERRY_WORKFLOW lets everyone start runs, because FERRY_OPEN is set: remove one of them");
  if (faults.length || !scheme || !target) throw new Fault(faults);
  return {
    scheme,
    origin: `${plain ? "http" : "https"}://${of(target.host).api ?? target.host}`,
    ...(env.FERRY_USERNAME && env.FERRY_PASSWORD ? { login: { username: env.FERRY_USERNAME, password: env.FERRY_PASSWORD } } : {}),
    ...(env.FERRY_TOKEN_SERVER ? { tokenServer: env.FERRY_TOKEN_SERVER.toLowerCase() } : {}),
    tokens: open ? [] : tokens,
    names: new Names(sources, new Map([...builtIn, ...labels]), called),
    allowed,
    denied,
    relay: list(env.FERRY_RELAY).map((host) => host.toLowerCase()),
    ...(env.LIMIT ? { limit: env.LIMIT } : {}),
    ...(workflow ? { workflow } : {}),
  };
}

/** readWorkflow reads "owner/repository", or "owner/repository@branch". */
function readWorkflow(env: Env, faults: string[]): Workflow | undefined {
  if (!env.FERRY_WORKFLOW) return undefined;
  const [, repository, branch = "main"] = /^([A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*)(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?$/.exec(env.FERRY_WORKFLOW) ?? [];
  if (!repository) faults.push("FERRY_WORKFLOW is not a repository on GitHub: write it as alice/ferry, or alice/ferry@branch");
  if (!env.FERRY_GITHUB_TOKEN) faults.push("FERRY_GITHUB_TOKEN is not set, which FERRY_WORKFLOW needs: wrangler secret put FERRY_GITHUB_TOKEN");
  if (!env.REQUESTS) faults.push("FERRY_WORKFLOW needs the rate limit REQUESTS, which this platform or wrangler.toml lacks");
  const first = env.FERRY_FIRST || "linux/amd64";
  if (!/^[a-z]+\/[a-z0-9/]+(?:,[a-z]+\/[a-z0-9/]+)*$/.test(first)) faults.push("FERRY_FIRST is not a list of platforms: write linux/amd64,linux/arm64");
  if (!repository || !env.FERRY_GITHUB_TOKEN || !env.REQUESTS) return undefined;
  return { api: env.GITHUB_API_URL ?? "https://api.github.com", repository, branch, first, token: env.FERRY_GITHUB_TOKEN, limit: env.REQUESTS };
}

/** readTarget reads "host/namespace", or "namespace" for Docker Hub, as people write it. */
function readTarget(written: string): { target?: Repository; plain: boolean } {
  const plain = written.startsWith("http://");
  const rest = written.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const slash = rest.indexOf("/");
  const [host, namespace] = slash < 0 || !/[.:]|^localhost$/.test(rest.slice(0, slash)) ? [dockerHub, rest] : [rest.slice(0, slash), rest.slice(slash + 1)];
  if (namespace === "" || (slash < 0 && /[.:]/.test(rest))) return { plain };
  const read = repository(host, `${namespace.toLowerCase()}/x`);
  return read ? { target: { host: read.host, path: read.path.slice(0, -"/x".length) }, plain } : { plain };
}

function patterns(env: Env, name: "FERRY_ALLOWED" | "FERRY_DENIED", list: (value?: string) => string[], faults: string[]): Pattern[] {
  return list(env[name]).flatMap((word) => {
    const below = word.endsWith("/*");
    const whole = below ? `${word.slice(0, -2)}/x/x` : word; // two components keep "library/" out
    const slash = whole.indexOf("/");
    const hosted = slash >= 0 && (/[.:]/.test(whole.slice(0, slash)) || whole.startsWith("localhost/"));
    const read = hosted ? repository(whole.slice(0, slash), whole.slice(slash + 1)) : repository(dockerHub, whole);
    if (!read) {
      faults.push(`${name} has a word that is not a pattern: write repositories such as quay.io/a/b, or quay.io/*`);
      return [];
    }
    const base = text(read);
    return [{ base: below ? base.slice(0, -"/x/x".length) : base, below }];
  });
}

/** serves reports whether the owner serves r. */
export function serves(s: Settings, r: Repository): boolean {
  const covers = (p: Pattern) => (p.below ? text(r).startsWith(`${p.base}/`) : text(r) === p.base);
  return !s.denied.some(covers) && (!s.allowed.length || s.allowed.some(covers));
}
