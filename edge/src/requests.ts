// Images that the target lacks are mirrored by the workflow of the owner's fork,
// while the client waits.
import type { Asked } from "./answers";
import { keeps, recall, remember } from "./memory";
import { image } from "./question";
import { text } from "./reference";
import { Refusal } from "./refusal";
import { drop, timely } from "./target";

const wait = 90_000; // milliseconds for which a client is held
const again = 60 * 60; // seconds after which an image may be requested again
const rest = 10 * 60; // and after GitHub has refused to start the workflow, or it has failed
const maxReason = 400; // characters of the reason of a run's failure

/** Workflow is what mirrors images: mirror.yml of a repository on GitHub. */
export interface Workflow {
  api: string; // "https://api.github.com"
  repository: string; // "alice/ferry"
  branch: string;
  first: string; // platforms that are copied before the others
  token: string;
  limit: RateLimit; // of requests, for a guest
}

/** starting are the images whose workflow this isolate is starting. */
const starting = new Set<string>();

interface Requested {
  began: number; // milliseconds since 1970
  earlier: number; // the number of the last run before
  ended?: boolean; // its run has ended with success
  failed?: string; // why the image will not arrive
}

/** Run is a run of the workflow: a later one has a larger number. */
interface Run {
  id: number;
  display_title: string; // the workflow's run-name: the image
  conclusion: string | null; // null until it ends
  html_url: string;
}

/** Look looks for an image at the target. */
interface Look<T> {
  arrived(): Promise<boolean>;
  announced(earlier: number): Promise<T | null | undefined>; // by a run after an earlier one; null for never
}

/** requested returns when an image that was missing has arrived, or has been announced, and starts the workflow for it unless that was done. It throws missing, with a message of its own, if the image does not arrive in time. */
export async function requested<T>(a: Asked, w: Workflow, missing: Refusal, look: Look<T>): Promise<T | undefined> {
  const asked = image(a.q);
  const whole = await wholeOf(a);
  const what = whole ?? asked;
  const runs = `https://github.com/${w.repository}/actions/workflows/mirror.yml`;
  const refuse = (why: string, retryAfter = 0) => new Refusal(404, "MANIFEST_UNKNOWN", `no mirror has ${asked}: ${why}`, { ...missing.more, retryAfter });
  const key = requestKey(what);
  const note = (r: Requested, seconds: number) => remember(a.ctx, key, "application/json", JSON.stringify(r), seconds);
  const noted = () => recalled(key);
  const begin = async () => {
    if (!(await w.limit.limit({ key: a.guest }).catch(() => ({ success: false }))).success) {
      throw refuse("it is not requested, because this client requests too many images: try again in a minute", 60);
    }
    // A run that another location has started is waited for.
    const run = await last(w, what);
    // If GitHub does not tell, any run may be an earlier one.
    const earlier = !run ? (run === null ? 0 : Number.MAX_SAFE_INTEGER) : run.conclusion ? run.id : run.id - 1;
    const r: Requested = { began: Date.now(), earlier };
    note(r, again);
    if ((!run || run.conclusion) && !(await start(w, what))) note({ ...r, failed: "it could not be requested, for a reason that the log of this front has" }, rest);
  };
  // Another request may have come first while this one looked.
  if (!whole && !(await noted()) && !keeps(key) && !starting.has(key)) {
    starting.add(key);
    const begun = begin().finally(() => starting.delete(key));
    a.ctx.waitUntil(begun.catch(() => undefined)); // although the client may leave
    await begun;
  }
  // A request to the free plan's Worker may send 50 of its own: a look is two or
  // three, and there are a dozen.
  const began = Date.now();
  let announced = !!whole;
  for (let pause = 1000; ; pause = Math.min(pause * 1.7, 10_000)) {
    const r = await noted();
    if (r?.failed) throw refuse(r.failed, rest);
    // The run is looked at first, by one client: an image that arrives in between is found.
    const looked = `run ${what}`;
    let run: Run | null | undefined;
    if (pause > 4000 && !keeps(looked)) {
      remember(a.ctx, looked, "", "", 15);
      run = await last(w, what);
    }
    if (await look.arrived()) return undefined;
    if (r && !announced) {
      const found = await look.announced(r.earlier);
      if (found) return found;
      announced = found === null;
    }
    if (r && run?.conclusion && run.id > r.earlier) {
      // A registry may show later what a run has pushed.
      if (run.conclusion !== "success" || r.ended) note({ ...r, failed: `the run for it has ended with ${run.conclusion}, see ${run.html_url}${await reason(w, run.id, what)}` }, rest);
      else note({ ...r, ended: true }, rest);
      continue;
    }
    if (Date.now() + pause > began + wait) {
      const seconds = Math.round((Date.now() - (r?.began ?? began)) / 1000);
      throw refuse(`it was requested ${seconds} s ago and is being mirrored, see ${runs}: try again later`, 10);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

const requestKey = (what: string) => `requested ${what}`;

async function recalled(key: string): Promise<Requested | undefined> {
  const item = await recall(key);
  return item && (JSON.parse(new TextDecoder().decode(item.body)) as Requested);
}

/** parts are the digests of the parts of announced images, of one repository. */
async function parts(a: Asked): Promise<[image: string, digests: string[]][]> {
  const item = await recall(`parts of ${text(a.repository)}`);
  return item ? (JSON.parse(new TextDecoder().decode(item.body)) as [string, string[]][]) : [];
}

/** belongs remembers which parts an announced image has. */
export async function belongs(a: Asked, what: string, digests: string[]): Promise<void> {
  const others = (await parts(a)).filter(([image]) => image !== what).slice(-9);
  await remember(a.ctx, `parts of ${text(a.repository)}`, "application/json", JSON.stringify([...others, [what, digests]]), again);
}

/** wholeOf is the announced image that the manifest that is asked for is a part of, while that is requested. */
async function wholeOf(a: Asked): Promise<string | undefined> {
  const { digest } = a.q;
  const [whole] = (digest && (await parts(a)).find(([, digests]) => digests.includes(digest))) || [];
  return whole && (await recalled(requestKey(whole))) ? whole : undefined;
}

/** call sends a request to the API about the repository. */
function call(w: Workflow, path: string, init: RequestInit = {}): Promise<Response> {
  return timely(`${w.api}/repos/${w.repository}/${path}`, {
    ...init,
    headers: {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${w.token}`,
      "Content-Type": "application/json",
      "User-Agent": "ferry-edge/1",
      "X-GitHub-Api-Version": "2022-11-28",
    },
  });
}

/** last is the run for an image that was started last, by any front: null if there is none, undefined if GitHub does not tell. */
async function last(w: Workflow, what: string): Promise<Run | null | undefined> {
  try {
    const response = await call(w, "actions/workflows/mirror.yml/runs?event=workflow_dispatch&per_page=20");
    const { workflow_runs } = (await response.json()) as { workflow_runs?: Run[] };
    return workflow_runs && (workflow_runs.find((run) => run.display_title === what) ?? null);
  } catch {
    return undefined;
  }
}

/** reason is why a run has failed, as Ferry says in an annotation of the run: on one line, after a colon, if it is known. */
async function reason(w: Workflow, run: number, what: string): Promise<string> {
  try {
    const { jobs } = (await (await call(w, `actions/runs/${run}/jobs`)).json()) as { jobs: { id: number }[] };
    for (const { id } of jobs.slice(0, 2)) {
      const all = (await (await call(w, `check-runs/${id}/annotations`)).json()) as { title: string | null; message: string }[];
      const found = all.find(({ title }) => [what, "set-up", "request"].includes(title?.split(" ", 1)[0] ?? ""));
      const text = found?.message.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}]+/gu, " ").trim();
      if (text) return `: ${text.length > maxReason ? `${text.slice(0, maxReason).trimEnd()}…` : text}`;
    }
  } catch (error) {
    console.error(JSON.stringify({ msg: "the reason of a failed run could not be read", image: what, error: String(error) }));
  }
  return "";
}

/** start starts the workflow for an image, and reports whether GitHub has accepted that. */
async function start(w: Workflow, images: string): Promise<boolean> {
  let status: string | number;
  try {
    const response = await call(w, "actions/workflows/mirror.yml/dispatches", { method: "POST", body: JSON.stringify({ ref: w.branch, inputs: { images, first: w.first } }) });
    await drop(response);
    if (response.ok) return true;
    status = response.status;
  } catch (error) {
    status = (error as Error).name;
  }
  console.error(JSON.stringify({ msg: "the workflow could not be started", image: images, status }));
  return false;
}
