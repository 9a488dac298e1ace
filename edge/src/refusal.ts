// Answers that give nothing.

/** Why no answer came from the target: a code of docs/outputs.md. */
export type Failure = "not-found" | "private" | "rate-limited" | "unavailable" | "timed-out" | "network" | "corrupt" | "host-forbidden" | "token-server" | "unsupported";

interface More {
  failure?: Failure;
  place?: string; // that failed
  retryAfter?: number; // seconds
  challenge?: boolean; // asks the client for its token
  headers?: Record<string, string>;
}

/** Refusal is why a question is not answered, and what to do about it. Its message holds nothing that a registry said. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string, // of the distribution specification
    message: string,
    readonly more: More = {},
  ) {
    super(message);
  }

  /** response is the refusal in the form of the specification, "Error Codes". */
  response(method: string): Response {
    const { failure, place, retryAfter, challenge, headers } = this.more;
    const detail = failure && { ferry: failure, places: place ? [{ place, failure }] : undefined };
    const body = JSON.stringify({ errors: [{ code: this.code, message: this.message, detail }] });
    const h = new Headers(headers);
    h.set("Content-Type", "application/json");
    h.set("Content-Length", String(new TextEncoder().encode(body).length));
    h.set("Cache-Control", "no-store");
    if (retryAfter) h.set("Retry-After", String(retryAfter));
    if (challenge) h.set("WWW-Authenticate", 'Basic realm="ferry"');
    return new Response(method === "HEAD" ? null : body, { status: this.status, headers: h });
  }
}
