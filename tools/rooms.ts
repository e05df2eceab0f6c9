/**
 * Which room may import which. One table, three uses: the lint rule `tidegate/rooms`, the picture in
 * ARCHITECTURE.md, and the test that the table has no cycle.
 *
 * A room sees another only through its front door (`#room`, i.e. `src/<room>/index.ts`). A feature room that
 * needs something of another declares a port in its own `ports.ts`; `server` wires the adapter.
 */
export const rooms = {
  lib: [],
  api: ["lib"],
  kube: ["lib", "api"],
  controller: ["lib", "api", "kube"],
  git: ["lib", "api"],
  registry: ["lib", "api"],
  artifacts: ["lib", "api"],
  images: ["lib", "api"],
  engine: ["lib"],
  render: ["lib", "api"],
  gitops: ["lib", "api", "kube", "controller", "render"],
  rollouts: ["lib", "api", "kube", "controller"],
  workloads: ["lib", "api", "kube", "controller"],
  promotion: ["lib", "api", "kube", "controller"],
  runtime: ["lib", "api", "engine"],
  router: ["lib", "api"],
  metrics: ["lib", "api"],
  workflows: ["lib", "api"],
  forge: ["lib", "api"],
  lint: ["lib", "api", "workflows"],
  runner: ["lib", "api", "workflows", "images", "engine"],
  auth: ["lib", "api"],
  timeline: ["lib", "api"],
  secrets: ["lib", "api"],
  cli: ["lib", "api", "lint", "server"],
  /** The console is a program of its own for the browser; of ours it sees types only. */
  console: ["api"],
  server: [
    "lib",
    "api",
    "kube",
    "controller",
    "git",
    "registry",
    "artifacts",
    "images",
    "engine",
    "render",
    "gitops",
    "rollouts",
    "workloads",
    "promotion",
    "runtime",
    "router",
    "metrics",
    "workflows",
    "forge",
    "lint",
    "runner",
    "auth",
    "timeline",
    "secrets",
  ],
} as const satisfies Record<string, readonly string[]>;

/** The room a source path belongs to, or undefined for files outside the rooms (tests, scripts, the console). */
export function roomOf(path: string): string | undefined {
  if (/(?:^|[\\/])console[\\/]src[\\/]/.test(path)) return "console";
  return /(?:^|\/)src\/([^/]+)\//.exec(path.replaceAll("\\", "/"))?.[1];
}

/** Whether a file of `from` may import the front door of `to`. */
export function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  const allowed: readonly string[] | undefined = (rooms as Record<string, readonly string[]>)[from];
  return allowed?.includes(to) ?? false;
}
