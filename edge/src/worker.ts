// The Worker: a read-only registry that answers for original names with the
// manifests of mirrors, and sends clients on to where their blobs are. It does what
// ferry serve does for a target, without a server.
import { answer, sent } from "./answers";
import { admit, identify, type Guest } from "./guests";
import { image, type Question } from "./question";
import { text } from "./reference";
import { Refusal } from "./refusal";
import { sampled } from "./sample";
import { Fault, read, serves, type Env, type Settings } from "./settings";
import { Target } from "./target";

interface Front {
  env: Env;
  settings: Settings;
  target: Target;
}

/** What was read of the settings last: they are the same for all requests of an isolate. */
let front: Front | undefined;

function prepared(env: Env): Front {
  if (front?.env !== env) {
    const settings = read(env);
    front = { env, settings, target: new Target(settings) };
  }
  return front;
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const began = Date.now();
    const log: { q?: Question; guest?: Guest } = {};
    let response: Response;
    try {
      response = await serve(request, env, ctx, log);
    } catch (error) {
      response = refused(error).response(request.method);
    }
    response.headers.set("Docker-Distribution-API-Version", "registry/2.0");
    response.headers.set("X-Content-Type-Options", "nosniff");
    if (log.q?.namespace !== undefined) response.headers.set("OCI-Namespace", log.q.namespace);
    note(request, log, response.status, Date.now() - began);
    return response;
  },
} satisfies ExportedHandler<Env>;

async function serve(request: Request, env: Env, ctx: ExecutionContext, log: { q?: Question; guest?: Guest }): Promise<Response> {
  // Not by URL, which makes another address of one with dots.
  const [, host = "", path = "/", query = ""] = /^https?:\/\/([^/?#]*)([^?#]*)\??([^#]*)/.exec(request.url) ?? [];
  if (path === "/-/live") return new Response(null);
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Refusal(405, "UNSUPPORTED", "this registry is read-only: push to the registry behind it", { headers: { Allow: "GET, HEAD" } });
  }
  const { settings: s, target } = prepared(env);
  if (path === "/-/ready") return new Response(null);
  const [rest, guest] = await identify(s, request, path);
  log.guest = guest;
  const q = s.names.question(host, rest, query);
  if (guest.inPath) q.written = `${guest.inPath}/${q.written}`;
  log.q = q;
  // dockerd requests /v2/ before it knows the image, and needs no token for it.
  if (!q.repository && guest.scoped) await admit(s, guest, q);
  if (!q.repository) {
    return new Response(request.method === "HEAD" ? null : "{}", { headers: { "Content-Type": "application/json", "Content-Length": "2" } });
  }
  await admit(s, guest, q);
  const part = sampled(q);
  if (part) return sent(request, new Headers({ "Docker-Content-Digest": part.digest }), part.type, part.body);
  if (!serves(s, q.repository)) throw new Refusal(403, "DENIED", `the owner of this front does not serve ${text(q.repository)}`);
  return answer({ s, target, ctx, request, q, repository: q.repository, guest: guest.name });
}

/** refused returns the response for an error. */
function refused(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Fault) {
    // They hold no value: who calls may see them, and it is mostly the owner.
    console.error(JSON.stringify({ msg: "settings", faults: error.faults }));
    return new Refusal(503, "UNAVAILABLE", `this front is not set up: ${error.message}`);
  }
  console.error(JSON.stringify({ msg: "failure", error: String(error) }));
  return new Refusal(500, "UNAVAILABLE", "this front has failed: its log has the reason");
}

/** note logs a request: one line, without anything that a client wrote but what became canonical. */
function note(request: Request, { q, guest }: { q?: Question; guest?: Guest }, status: number, ms: number): void {
  const method = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(request.method) ? request.method : "other";
  console.log(JSON.stringify({ msg: "request", method, kind: q?.kind ?? "", image: q ? image(q) : "", rule: q?.rule ?? "", status, ms, guest: guest?.name ?? "" }));
}
