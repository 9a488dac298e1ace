// A target to test against: a registry that wants a token of its own for reading
// and sends blobs from elsewhere, as hosted registries do.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

export const digestOf = (body) => `sha256:${createHash("sha256").update(body).digest("hex")}`;

export class Registry {
  manifests = new Map(); // by "path:tag" and "path@digest": { type, body }
  blobs = new Map(); // by digest
  asked = []; // "METHOD /path", of the registry and its token server
  faults = []; // (request, response) => true if it was answered
  realm = "";
  login = "";
  blobsAt = "https://cdn.example.com"; // "" for here

  async start() {
    this.server = createServer((request, response) => this.serve(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    this.realm = `${this.url}/token`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** add puts an image there and gives the digest of its manifest and of its one layer. */
  add(path, tag, content = path + tag) {
    const layer = Buffer.from(`layer of ${content}`);
    const config = Buffer.from("{}");
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length }],
    });
    const digest = digestOf(body);
    const manifest = { type: "application/vnd.oci.image.manifest.v1+json", body };
    this.manifests.set(`${path}:${tag}`, manifest);
    this.manifests.set(`${path}@${digest}`, manifest);
    for (const blob of [layer, config]) this.blobs.set(`${path}@${digestOf(blob)}`, blob);
    return { digest, layer: digestOf(layer), size: layer.length };
  }

  serve(request, response) {
    const url = new URL(request.url, this.url);
    this.asked.push(`${request.method} ${url.pathname}`);
    const send = (status, headers, body = "") => {
      response.writeHead(status, { "Content-Length": Buffer.byteLength(body), ...headers });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const fault = this.faults[0];
    if (fault?.(request, response, send)) return;
    if (url.pathname === "/token") {
      if (this.login && request.headers.authorization !== `Basic ${btoa(this.login)}`) return send(401, {});
      return send(200, { "Content-Type": "application/json" }, JSON.stringify({ token: `for-${url.searchParams.get("scope")}`, expires_in: 300 }));
    }
    const [, path, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    if (request.headers.authorization !== `Bearer for-repository:${path}:pull`) {
      return send(401, { "WWW-Authenticate": `Bearer realm="${this.realm}",service="test",scope="repository:${path}:pull"` });
    }
    const error = (code) => send(404, { "Content-Type": "application/json" }, JSON.stringify({ errors: [{ code }] }));
    if (kind === "manifests") {
      const found = this.manifests.get(`${path}${reference.includes(":") ? "@" : ":"}${reference}`);
      if (!found) return error("MANIFEST_UNKNOWN");
      return send(200, { "Content-Type": found.type, "Docker-Content-Digest": digestOf(found.body) }, found.body);
    }
    if (kind === "blobs") {
      const found = this.blobs.get(`${path}@${reference}`);
      if (!found) return error("BLOB_UNKNOWN");
      if (this.blobsAt) return send(307, { Location: `${this.blobsAt}/${reference}?signature=of-the-target` });
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
      if (from === undefined) return send(200, { "Content-Type": "text/html" }, found);
      const end = Math.min(to ? Number(to) : found.length - 1, found.length - 1);
      if (Number(from) >= found.length) return send(416, { "Content-Range": `bytes */${found.length}` });
      return send(206, { "Content-Range": `bytes ${from}-${end}/${found.length}` }, found.subarray(Number(from), end + 1));
    }
    if (kind === "tags") {
      const tags = [...this.manifests.keys()].filter((k) => k.startsWith(`${path}:`)).map((k) => k.slice(path.length + 1));
      if (!tags.length) return error("NAME_UNKNOWN");
      const n = Number(url.searchParams.get("n")) || tags.length;
      const headers = n < tags.length ? { Link: `</v2/${path}/tags/list?n=${n}&last=${tags[n - 1]}>; rel="next"` } : {};
      return send(200, { "Content-Type": "application/json", ...headers }, JSON.stringify({ name: path, tags: tags.slice(0, n) }));
    }
    return error("NOT_FOUND");
  }
}
