// The sample image, which every front has and no source: a client that has it was
// served by a front. sample.json is written by Go, from internal/front.
import type { Question } from "./question";
import sample from "./sample.json";

export interface Part {
  type: string;
  body: ArrayBuffer;
  digest: string;
}

/** sampled is the part of the sample image that is asked for, undefined for anything else. */
export function sampled(q: Question): Part | undefined {
  if (q.repository?.path !== sample.path) return undefined;
  const digest = q.kind === "manifests" && q.tag === sample.tag ? sample.index : q.digest;
  const part = sample.parts.find((p) => p.digest === digest && p.kind === q.kind);
  return part && { type: part.type, body: Uint8Array.from(part.body, (c) => c.charCodeAt(0)).buffer, digest: part.digest };
}
