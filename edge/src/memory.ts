// What the Worker remembers: in its own memory, for as long as the platform keeps
// it, and in the cache of the platform's location, if there is one.

interface Item {
  type: string;
  body: string | ArrayBuffer;
  until: number; // milliseconds since 1970
}

const maxBytes = 8 << 20;
const kept = new Map<string, Item>();
let bytes = 0;

/** No client can ask for these addresses. */
const address = (key: string) => `https://ferry.invalid/${encodeURIComponent(key)}`;

// Elsewhere than on Cloudflare there is no default cache.
const shared = () => (typeof caches === "undefined" ? undefined : (caches.default as Cache | undefined));

/** recall is what was remembered under a key. */
export async function recall(key: string): Promise<{ type: string; body: ArrayBuffer } | undefined> {
  const item = kept.get(key);
  if (item && Date.now() < item.until) return { type: item.type, body: buffer(item.body) };
  try {
    const response = await shared()?.match(address(key));
    return response && { type: response.headers.get("Content-Type") ?? "", body: await response.arrayBuffer() };
  } catch {
    return undefined; // a cache that fails is one that is empty
  }
}

/** keeps reports whether something is in the memory of this isolate. */
export function keeps(key: string): boolean {
  const item = kept.get(key);
  return !!item && Date.now() < item.until;
}

/** shares reports whether what this isolate keeps under a key is kept for all isolates of the location. */
export async function shares(key: string): Promise<boolean> {
  const cache = shared();
  return !cache || !!(await cache.match(address(key)).catch(() => undefined));
}

/** remember keeps something for some seconds. The promise ends when other isolates have it too, if they can. */
export function remember(ctx: ExecutionContext, key: string, type: string, body: string | ArrayBuffer, seconds: number): Promise<void> {
  bytes -= size(kept.get(key));
  kept.delete(key);
  const item = { type, body, until: Date.now() + seconds * 1000 };
  kept.set(key, item);
  bytes += size(item);
  for (const [oldest, item] of kept) {
    if (bytes <= maxBytes) break;
    bytes -= size(item);
    kept.delete(oldest);
  }
  const put = shared()?.put(address(key), new Response(body, { headers: { "Content-Type": type, "Cache-Control": `max-age=${seconds}` } }));
  const done = Promise.resolve(put).catch(() => undefined);
  if (put) ctx.waitUntil(done);
  return done;
}

const buffer = (body: string | ArrayBuffer) => (typeof body === "string" ? (new TextEncoder().encode(body).buffer as ArrayBuffer) : body);
const size = (item?: Item) => (!item ? 0 : 500 + (typeof item.body === "string" ? item.body.length : item.body.byteLength));
