// What is known of registries: the table of internal/known, as far as answers
// take it. Its test writes known.json.
import rows from "./known.json";

export interface NameRules {
  most?: number; // components
  shortest?: number; // characters below the namespace
  longest?: number;
  singleDash?: boolean;
}

export interface Registry {
  hosts?: string[];
  aliases?: string[];
  domains?: string[];
  sameAs?: string;
  api?: string;
  allowed?: boolean;
  label?: string;
  names?: NameRules;
  tokens?: { realm: string; service: string };
  tokenHosts?: string;
}

const table: Registry[] = rows;
const byHost = new Map(table.flatMap((row) => [...(row.hosts ?? []), ...(row.aliases ?? [])].map((host) => [host, row] as const)));

// The hosts that rules are about.
export const dockerHub = "docker.io";
export const gcr = "gcr.io";
export const kubernetes = "registry.k8s.io";

/** of is what is known of the registry with the host, which may have a port. */
export function of(host: string): Registry {
  const name = host.split(":", 1)[0]!.toLowerCase();
  return byHost.get(name) ?? table.find((row) => row.domains?.some((domain) => name.endsWith(domain))) ?? {};
}

/** allowed are the hosts that may be asked for without being named by the owner. */
export const allowed = table.flatMap((row) => (row.allowed ? (row.hosts ?? []) : []));

/** labels stand for hosts in mirror names. */
export const labels: ReadonlyMap<string, string> = new Map(
  table.flatMap((row) => (row.label && row.hosts ? [[row.hosts[0]!, row.label] as const] : [])),
);
