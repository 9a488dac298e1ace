// The target: the one registry that is asked. Its logins and tokens go to itself
// and to its own token server, and nothing else is ever connected to, unless the
// owner has its blobs relayed.
import { of } from "./known";
import { Refusal, type Failure } from "./refusal";
import type { Settings } from "./settings";

const patience = 20_000; // milliseconds for an answer to begin

interface Token {
  value: string;
  since: number; // milliseconds since 1970
  until: number;
}

interface Challenge {
  scheme: "bearer" | "basic";
  realm: string;
  service: string;
}

const maxTokens = 1000;

/** Ask is a request for a thing at the target. */
export interface Ask {
  method: "GET" | "HEAD";
  path: string; // of the repository
  kind: string;
  reference: string;
  query?: string;
  headers?: Record<string, string>;
}

/** Answer is the target's, and whether it was given to anybody. */
export interface Answer {
  response: Response;
  anybody: boolean;
  url: string;
}

/** Target remembers what it has learnt of the registry. Nothing of it is about a client. */
export class Target {
  readonly place: string;
  private readonly url: URL;
  private readonly tokens = new Map<string, Token>(); // by scope
  private challenge: Challenge | undefined;
  private resting = 0; // until when the registry wants to be left alone

  constructor(private readonly s: Settings) {
    this.place = `mirror ${s.scheme.target.host}/${s.scheme.target.path}`;
    this.url = new URL(s.origin);
    const known = of(s.scheme.target.host).tokens;
    if (known && this.url.protocol === "https:") this.challenge = { scheme: "bearer", ...known };
  }

  /** ask returns the answer to a request if it is one of success or leads elsewhere. All else is a Refusal about what. */
  async ask(a: Ask, what: string, unknown: string): Promise<Answer> {
    if (Date.now() < this.resting) throw this.refusal(429, what, unknown, Math.ceil((this.resting - Date.now()) / 1000));
    const url = `${this.s.origin}/v2/${a.path}/${a.kind}/${a.reference}${a.query ? `?${a.query}` : ""}`;
    const scope = `repository:${a.path}:pull`;
    let authorization = this.challenge ? await this.authorization(this.challenge, scope, what) : "";
    for (let attempt = 0; ; attempt++) {
      const response = await this.send(url, a.method, { ...a.headers, ...(authorization ? { Authorization: authorization } : {}) }, what);
      const { status } = response;
      if (status === 401 && attempt === 0) {
        const demanded = challenges(response.headers.get("WWW-Authenticate") ?? "");
        // A token that is new is as good as another one.
        if (demanded && !(authorization && demanded.realm === this.challenge?.realm && this.isNew(scope))) {
          await drop(response);
          this.tokens.delete(scope);
          authorization = await this.authorization(demanded, scope, what);
          this.challenge = demanded; // now that it has proved good
          if (authorization) continue;
        }
      }
      if (status === 200 || status === 206 || status === 416 || isRedirect(status)) return { response, anybody: !authorization, url };
      throw await this.refused(response, what, unknown);
    }
  }

  /** isNew reports whether the token for scope was got within the last minute. */
  private isNew(scope: string): boolean {
    return Date.now() < (this.tokens.get(scope)?.since ?? 0) + 60_000;
  }

  /** refused is a Refusal for an answer of the registry that is none. */
  private async refused(response: Response, what: string, unknown: string, status = response.status): Promise<Refusal> {
    await drop(response);
    const wait = Math.min(Math.max(Number(response.headers.get("Retry-After")) || 5, 5), 60);
    if (status === 429) this.resting = Date.now() + wait * 1000;
    return this.refusal(status, what, unknown, wait);
  }

  /** failed is a Refusal for what the target could not give. */
  failed(failure: Failure, what: string, unknown = "UNAVAILABLE", retryAfter = 5): Refusal {
    const { place } = this;
    const because = `(${place}: ${failure})`;
    switch (failure) {
      case "not-found":
        return new Refusal(404, unknown, `no place has ${what} ${because}: mirror it first, or check the name`, { failure, place });
      case "rate-limited":
        return new Refusal(429, "TOOMANYREQUESTS", `a registry limits requests ${because}: try again later, or configure a login for that place`, { failure, place, retryAfter });
      case "private":
      case "token-server":
        return new Refusal(403, "DENIED", `${what} does not exist or is private ${because}: check the name, or ask the owner to configure a login for that place`, { failure, place });
      case "unavailable":
      case "timed-out":
      case "network":
        return new Refusal(503, "UNAVAILABLE", `no place answers for ${what} ${because}: try again`, { failure, place, retryAfter });
    }
    return new Refusal(502, "UNAVAILABLE", `the content of ${what} at the places is damaged ${because}, so it was not passed on`, { failure, place });
  }

  private refusal(status: number, what: string, unknown: string, wait: number): Refusal {
    if (status === 404) return this.failed("not-found", what, unknown);
    if (status === 401 || status === 403) return this.failed("private", what);
    if (status === 429) return this.failed("rate-limited", what, unknown, wait);
    return this.failed(status >= 500 ? "unavailable" : "corrupt", what);
  }

  private async send(url: string, method: string, headers: Record<string, string>, what: string): Promise<Response> {
    try {
      return await timely(url, { method, headers: { "User-Agent": "ferry-edge/1", ...headers } });
    } catch (error) {
      throw this.failed((error as Error).name === "AbortError" ? "timed-out" : "network", what);
    }
  }

  /** authorization is the header of a request, empty for none. */
  private async authorization(c: Challenge, scope: string, what: string): Promise<string> {
    const { login } = this.s;
    const basic = login ? `Basic ${base64(`${login.username}:${login.password}`)}` : "";
    if (c.scheme === "basic") return basic;
    const held = this.tokens.get(scope);
    if (held && Date.now() < held.until) return `Bearer ${held.value}`;
    const realm = parse(c.realm);
    if (!realm || !this.own(realm)) throw this.failed("token-server", what);
    if (c.service) realm.searchParams.set("service", c.service);
    realm.searchParams.set("scope", scope);
    const response = await this.send(realm.href, "GET", basic ? { Authorization: basic } : {}, what);
    // A token server says 400 or 404 of what it gives nobody a token for.
    if (response.status !== 200) throw await this.refused(response, what, "", [400, 404].includes(response.status) ? 403 : response.status);
    const answer = (await response.json().catch(() => ({}))) as { token?: unknown; access_token?: unknown; expires_in?: unknown };
    const value = answer.token || answer.access_token;
    if (typeof value !== "string" || /[^\x21-\x7e]/.test(value)) throw this.failed("corrupt", what);
    // A tenth is kept as a reserve for the way.
    const life = Math.min(Number(answer.expires_in) || 60, 24 * 60 * 60) * 0.9;
    if (this.tokens.size >= maxTokens) this.tokens.clear();
    this.tokens.set(scope, { value, since: Date.now(), until: Date.now() + life * 1000 });
    return `Bearer ${value}`;
  }

  /** own reports whether realm is a token server of the target, by the rules of internal/registry. */
  private own(realm: URL): boolean {
    if (realm.origin === this.url.origin) return true;
    if (realm.protocol !== "https:" || realm.username || realm.password) return false;
    const { tokens, tokenHosts } = of(this.s.scheme.target.host);
    if (realm.host === this.s.tokenServer || (tokens && realm.host === new URL(tokens.realm).host)) return true;
    if (realm.port || this.url.protocol !== "https:") return false;
    const region = tokenHosts && new RegExp(tokenHosts).exec(realm.hostname)?.[1];
    if (region && this.url.hostname.includes(`.${region}.`)) return true;
    // A domain above the registry: its holder could take the registry's name away.
    return realm.hostname.includes(".") && !isAddress(realm.hostname) && `.${this.url.hostname}`.endsWith(`.${realm.hostname}`);
  }

  /** leads is where an answer leads to, undefined if no client may be sent there. */
  leads(a: Answer): URL | undefined {
    const to = parse(a.response.headers.get("Location") ?? "", a.url);
    if (!to || to.username || to.password || to.hash || (to.protocol !== "https:" && to.origin !== this.url.origin)) return undefined;
    return to;
  }
}

export const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status);

function parse(url: string, base?: string): URL | undefined {
  try {
    return new URL(url, base);
  } catch {
    return undefined;
  }
}

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

const isAddress = (host: string) => /^[0-9.]+$|^\[/.test(host);

/** timely is a fetch that follows nothing, and whose answer has to begin in time. */
export async function timely(url: string, init: RequestInit): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patience);
  try {
    return await fetch(url, { ...init, redirect: "manual", signal: late.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** drop lets go of an answer whose body nobody wants. */
export async function drop(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** challenges picks the scheme to use from a WWW-Authenticate header: Bearer, then Basic. */
function challenges(header: string): Challenge | undefined {
  const bearer = /(?:^|,\s*|\s)bearer\s+((?:[a-z_]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]*)\s*,?\s*)+)/i.exec(header);
  if (bearer) {
    const parameters = new Map<string, string>();
    for (const [, name, quoted, bare] of bearer[1]!.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/gi)) {
      parameters.set(name!.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare ?? "");
    }
    const realm = parameters.get("realm");
    if (realm) return { scheme: "bearer", realm, service: parameters.get("service") ?? "" };
  }
  return /(?:^|,\s*)basic(?:\s|,|$)/i.test(header) ? { scheme: "basic", realm: "", service: "" } : undefined;
}
