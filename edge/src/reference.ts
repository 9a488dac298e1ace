// The grammar of references, as in internal/reference: what does not pass here is
// never a part of an address.
import { dockerHub, of } from "./known";

/** maxRepository is the length of host, slash and path together. */
const maxRepository = 255;
const maxHost = 253 + ":65535".length;
export const maxTag = 128;

const dockerHubAliases = new Set(["index.docker.io", "registry-1.docker.io", "registry.docker.io", "registry.hub.docker.com", "www.docker.io"]);

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const port = /^[1-9][0-9]{0,4}$/;
const component = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digest = /^sha256:[0-9a-f]{64}$/;
const longDigest = /^sha512:[0-9a-f]{128}$/;

/** Repository is a host and a path in their one canonical form. */
export interface Repository {
  host: string;
  path: string;
}

/** text is how a repository is written. */
export const text = (r: Repository) => `${r.host}/${r.path}`;

/** host is the one spelling of a host, undefined if it is none. */
function host(written: string): string | undefined {
  if (written.length > maxHost || !/^[\x21-\x7e]+$/.test(written)) return undefined;
  const lower = written.toLowerCase();
  const [dns, number, ...more] = lower.split(":");
  if (more.length || (number !== undefined && !(port.test(number) && Number(number) <= 65535))) return undefined;
  if (!dns!.split(".").every((part) => label.test(part))) return undefined;
  if (!/[.:]/.test(lower) && lower !== "localhost") return undefined;
  return dockerHubAliases.has(lower) || lower === `${dockerHub}:443` ? dockerHub : lower;
}

/** same is the one host of those that serve the same content. */
function same(of_: string): string {
  const bare = of_.replace(/:443$/, "");
  return of(bare).sameAs ?? bare;
}

/** canonicalHost returns the canonical name of a host and its aliases, or undefined if it is not a host. */
export function canonicalHost(written: string): string | undefined {
  const read = host(written);
  return read === undefined ? undefined : same(read);
}

/** repository reads a host and a path, undefined if they are none. */
export function repository(written: string, path: string): Repository | undefined {
  const read = host(written);
  if (read === undefined) return undefined;
  if (read === dockerHub && path !== "" && !path.includes("/")) path = `library/${path}`;
  if (!path.split("/").every((part) => component.test(part)) || read.length + 1 + path.length > maxRepository) return undefined;
  return { host: same(read), path };
}

export const isTag = (written: string) => tag.test(written);
export const isDigest = (written: string) => digest.test(written);
/** isLongDigest: only manifests can be asked for by one, and Ferry has them under a tag. */
export const isLongDigest = (written: string) => longDigest.test(written);
