// Who may use the front.
import { dockerHub } from "./known";
import { hex } from "./names";
import type { Question } from "./question";
import { Refusal } from "./refusal";
import type { Settings } from "./settings";

export interface Guest {
  name: string; // for the log and the rate limit
  admitted: boolean;
  inPath: string; // the token, if it was the first component of the path
  scoped: boolean; // on a challenge it sends the login for this front and no other
}

// As in internal/front: other fronts, and clients that look up logins by the host of
// the front, and want the challenge on "/v2/".
const scopedAgents = /^(?:ferry|containers|Buildah|skopeo|cri-o)\//;

/** identify finds out who has sent a request, and gives its path without a token. */
export async function identify(s: Settings, request: Request, path: string): Promise<[path: string, Guest]> {
  const guest: Guest = { name: address(request), admitted: !s.tokens.length, inPath: "", scoped: scopedAgents.test(request.headers.get("User-Agent") ?? "") };
  if (guest.admitted) return [path, guest];
  const hashes = await Promise.all(s.tokens.map(hash));
  const admit = async (token: string) => {
    const sum = await hash(token);
    // Comparing hashes takes a time that does not depend on the token.
    if (token === "" || !hashes.includes(sum)) return false;
    guest.admitted = true;
    guest.name = `token ${sum.slice(0, 8)}`;
    return true;
  };
  if (await admit(presented(request))) return [path, guest];
  const [, first, rest] = /^\/v2\/([^/]+)(?:\/(.*))?$/s.exec(path) ?? [];
  if (first && (await admit(first))) {
    guest.inPath = first;
    return [`/v2/${rest ?? ""}`, guest];
  }
  return [path, guest];
}

async function hash(token: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
}

/** presented is the token that a request bears, as Bearer or as the password of Basic. */
function presented(request: Request): string {
  const [, scheme, value] = /^([A-Za-z]+) +(\S+)$/.exec(request.headers.get("Authorization") ?? "") ?? [];
  if (scheme?.toLowerCase() === "bearer") return value!;
  if (scheme?.toLowerCase() !== "basic") return "";
  try {
    const login = atob(value!);
    return login.slice(login.indexOf(":") + 1);
  } catch {
    return "";
  }
}

/** address is where a request comes from, as the platform says. Networks of IPv6 are given to one. */
function address(request: Request): string {
  const ip = request.headers.get("CF-Connecting-IP") ?? "";
  if (!ip.includes(":")) return ip;
  const [head, tail] = ip.split("::") as [string, string?];
  const left = head.split(":");
  const groups = tail === undefined ? left : [...left, ...Array<string>(Math.max(8 - left.length - tail.split(":").length, 0)).fill("0"), ...tail.split(":")];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** admit throws a Refusal unless a guest is served now. */
export async function admit(s: Settings, guest: Guest, q: Question): Promise<void> {
  if (!guest.admitted) {
    // dockerd answers a mirror's challenge with the user's password for Docker
    // Hub, so there is none where it could be dockerd that asks.
    const challenge = q.repository?.host !== dockerHub || guest.scoped;
    throw new Refusal(
      challenge ? 401 : 403,
      challenge ? "UNAUTHORIZED" : "DENIED",
      "this front requires a token: send one from its owner as the password, as a bearer token or as the first component of the path",
      { challenge },
    );
  }
  // A limit that is out of order does not keep those out who have a token.
  const within = await s.limit?.limit({ key: guest.name }).catch(() => ({ success: s.tokens.length > 0 }));
  if (within && !within.success) {
    throw new Refusal(429, "TOOMANYREQUESTS", "too many requests per minute: wait, or ask the owner of this front for a higher limit", { retryAfter: 60 });
  }
}
