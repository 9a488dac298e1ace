// Mirror names, as in internal/name, which explains them; test/names.json holds
// the two together. Only the way from a source to its name is here, and back as
// far as a name needs it to be sure of itself.
import { dockerHub, gcr, kubernetes, labels as builtIn, of, type NameRules } from "./known";
import { canonicalHost, isTag, maxTag, repository, text, type Repository } from "./reference";

export type Profile = "flat" | "host" | "last" | "path" | "one";
export const profiles: readonly Profile[] = ["flat", "host", "last", "path", "one"];

const googleContainers = "google-containers";
const explicitHost = "host";
const maxRepository = 255;
const minRoom = ".cut-".length + 32 + 8;
const oneRepository = "mirrors";
const joint = "..";

const labelPattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const separators = /[^a-z0-9]+/g;
const digestTag = /^digest-(?:[0-9a-f]{64}|[a-z2-7]{103})_*$/;
const referrerTag = /^sha(?:256|512)-[0-9a-f]{64,128}(?:\.|$)/;
const shortMark = /(?:^|[./])cut-[0-9a-f]{32}$/;

const words = (list: string) => new Set(list.split(" "));
const topLevel = words(
  "com net org edu gov info dev aws tech xyz " +
    "ai at au be br ca cc ch cn co cz de dk do es eu fi fr hk ie il in io ir it jp kr me mx nl no nz pl pt ro ru se sg sh sk th tr tw ua uk us vn za",
);
const secondLevel = words("ac co com edu gov net org");
const secondLevelCountries = words("au br cn hk in jp kr nz sg tr tw uk za");

/** Scheme gives names at one target. Its constructor throws an Error that says what does not fit. */
export class Scheme {
  private rules: NameRules;
  private readonly labels = new Map(builtIn);
  private readonly hosts = new Map<string, string>();

  constructor(
    readonly target: Repository, // the path is the namespace
    public profile: Profile,
    labels: ReadonlyMap<string, string>,
  ) {
    this.rules = of(target.host).names ?? {};
    if (this.flat() && target.path.includes("/")) throw new Error("has a namespace of several components, and the registry's repositories have two");
    if (this.flat() && profile === "path") throw new Error("does not fit profile path: the registry's repositories have two components");
    if (this.room() < minRoom) throw new Error("has a namespace that leaves too little room for names");
    for (const [host, label] of labels) {
      const canonical = canonicalHost(host);
      if (canonical === undefined || !labelPattern.test(label) || label === explicitHost) throw new Error("has invalid labels");
      this.labels.set(canonical, label);
    }
    for (const [host, label] of this.labels) {
      if (this.hosts.has(label)) throw new Error("has one label for two hosts");
      this.hosts.set(label, host);
    }
  }

  /** tag is what a tag of r is called at the target, undefined if it can't be given. */
  async tag(r: Repository, tag: string): Promise<string | undefined> {
    const own = this.own(tag);
    return own === undefined || this.profile !== "one" ? own : this.join(r, own);
  }

  private own(tag: string): string | undefined {
    if (!isTag(tag)) return undefined;
    if (digestTag.test(tag)) return tag.length === maxTag ? undefined : `${tag}_`;
    return this.profile === "last" && referrerTag.test(tag) ? undefined : tag;
  }

  /** join is the tag in profile one: the flat name, which is shortened to what the tag leaves, and the tag. */
  private async join(r: Repository, tag: string): Promise<string | undefined> {
    const beside: Scheme = Object.assign(Object.create(Scheme.prototype), this);
    beside.profile = "flat";
    beside.rules = { longest: Math.max(maxTag - joint.length - tag.length, 1) };
    const flat = beside.whole(r) ?? (beside.room() < minRoom ? undefined : await beside.shorten(beside.spell(beside.plain(r)), r));
    return flat === undefined || referrerTag.test(flat + joint + tag) ? undefined : flat + joint + tag;
  }

  /** longDigest is the tag of an image of r that is named by a sha512: its digits to the base of 32. */
  async longDigest(r: Repository, digest: string): Promise<string | undefined> {
    let bits = "";
    for (const digit of digest.slice("sha512:".length)) bits += parseInt(digit, 16).toString(2).padStart(4, "0");
    const digits = (bits.match(/.{1,5}/g) ?? []).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five.padEnd(5, "0"), 2)]);
    const tag = `digest-${digits.join("")}`;
    return this.profile === "one" ? this.join(r, tag) : tag;
  }

  /** path is the path of a source's repository at the target. */
  async path(r: Repository): Promise<string> {
    return `${this.target.path}/${await this.below(r)}`;
  }

  private async below(r: Repository): Promise<string> {
    if (this.profile === "one") return oneRepository;
    if (this.profile === "last") {
      const last = r.path.slice(r.path.lastIndexOf("/") + 1);
      return this.fits(last) ? last : this.shorten(last, r);
    }
    return this.whole(r) ?? this.shorten(this.spell(this.plain(r)), r);
  }

  /** whole is the plain or explicit form, undefined if the target accepts neither. */
  private whole(r: Repository): string | undefined {
    for (const virtual of [this.plain(r), this.explicit(r)]) {
      const path = this.spell(virtual);
      const got = this.repository(path);
      if (got && this.fits(path) && (text(got) === text(r) || this.yields(r))) return path;
    }
    return undefined;
  }

  private spell(virtual: string) {
    return this.profile === "path" ? virtual : flatten(virtual);
  }

  /** plain is the virtual path that people expect. */
  private plain(r: Repository): string {
    const host = r.host.replace(":", "_");
    if (this.profile === "path") return `${host}/${r.path}`;
    if (this.profile === "flat") {
      if (r.host === gcr) return r.path;
      const label = this.labels.get(r.host);
      if (label !== undefined) {
        const official = r.host === dockerHub && /^library\/([^/]+)$/.exec(r.path);
        return `${label}/${official ? official[1] : r.path}`;
      }
    }
    return `${host.replaceAll(".", "/")}/${r.path}`;
  }

  /** explicit is the virtual path that can't be mistaken. */
  private explicit(r: Repository): string {
    if (this.profile === "flat" && r.host === gcr) return `${this.labels.get(gcr)}/${r.path}`;
    return `${explicitHost}/${r.host.replace(":", "_")}/${r.path}`;
  }

  /** repository reads a name: the inverse of plain and explicit. */
  private repository(path: string): Repository | undefined {
    if (shortMark.test(path)) return undefined;
    if (this.profile !== "path") {
      if (path.includes("/")) return undefined;
      path = unflatten(path);
    }
    const [host, rest] = this.cut(path.split("/"));
    return host && rest ? repository(host, rest) : undefined;
  }

  /** cut finds the host in a virtual path, and what is left. */
  private cut(parts: string[]): [host: string, rest: string] {
    const join = (from: number) => parts.slice(from).join("/");
    const first = parts[0]!;
    if (parts.length < 2) return ["", ""];
    if (this.profile === "path") {
      return /[._]/.test(first) || first === "localhost" ? [first.replace("_", ":"), join(1)] : ["", ""];
    }
    if (first === explicitHost) return [parts[1]!.replace("_", ":"), join(2)];
    const n = hostLength(parts);
    if (this.profile === "flat") {
      const labelled = this.hosts.get(first);
      if (labelled !== undefined && !(labelled === dockerHub && parts.length > 3 && n > 0)) return [labelled, join(1)];
      if (labelled === undefined && n === 0) return [gcr, join(0)];
    }
    return n === 0 ? ["", ""] : [parts.slice(0, n).join(".").replace("_", ":"), join(n)];
  }

  /** yields reports whether r has the name of another repository by convention. */
  private yields(r: Repository) {
    return this.profile === "flat" && this.labels.get(kubernetes) === googleContainers && r.host === gcr && r.path.startsWith(`${googleContainers}/`);
  }

  private async shorten(path: string, r: Repository): Promise<string> {
    const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text(r)));
    const mark = `${this.profile === "path" ? "/" : "."}cut-${hex(sum).slice(0, 32)}`;
    if (this.rules.singleDash) path = path.replace(/--+/g, "-");
    return path.slice(0, this.room() - mark.length).replace(/[./_-]+$/, "") + mark;
  }

  private flat() {
    return this.rules.most === 2;
  }

  private room(): number {
    const room = maxRepository - text(this.target).length - 1;
    return this.rules.longest ? Math.min(room, this.rules.longest) : room;
  }

  private fits(path: string): boolean {
    return (
      path.length >= Math.max(this.rules.shortest ?? 0, 1) &&
      path.length <= this.room() &&
      !(this.flat() && path.includes("/")) &&
      !(this.rules.singleDash && path.includes("--"))
    );
  }
}

/** hostLength is the number of leading parts that make up a host name, with one part or more after them; else 0. */
function hostLength(parts: string[]): number {
  for (let i = 0; i < parts.length - 1; i++) {
    const at = parts[i]!.indexOf("_");
    const domain = at < 0 ? parts[i]! : parts[i]!.slice(0, at);
    if (domain.includes(".")) return 0;
    if (i > 0 && topLevel.has(domain)) {
      const next = parts[i + 1]!.split("_", 1)[0]!;
      return at < 0 && secondLevel.has(domain) && secondLevelCountries.has(next) && i + 2 < parts.length ? i + 2 : i + 1;
    }
    if (at >= 0) return 0;
  }
  return 0;
}

function flatten(virtual: string): string {
  return virtual.replace(separators, (s) => (s === "/" ? "." : s === "." ? "__" : s === "__" ? "--" : s.startsWith("--") ? `${s}-` : s));
}

function unflatten(name: string): string {
  return name.replace(separators, (s) => (s === "." ? "/" : s === "__" ? "." : s === "--" ? "__" : s.startsWith("--") ? s.slice(1) : s));
}

/** hex is bytes in hexadecimal digits. */
export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}
