/** Ingress rules as a sorted list per host (networking.k8s.io/v1, "Path types" and "Hostname wildcards"). Pure. */
import type { Ingress, IngressBackend } from "#api";
import type { HostRoute, PathRoute } from "./routing-table.ts";

/** Key of the backend of that Service and port; it exists afterwards, without endpoints if need be. */
export type BackendLookup = (
  namespace: string,
  service: string,
  port: { number?: number; name?: string } | undefined,
) => string;

/**
 * Rules of all Ingresses, the oldest first where two claim the same path. A default backend takes what its own hosts
 * do not match and, when no older Ingress has one, every unknown host. Service names come last: an Ingress may claim
 * paths under `web.shop.localhost`, the rest of that host stays the Service's.
 */
export function planHosts(
  ingresses: readonly Ingress[],
  lookup: BackendLookup,
  serviceHosts: readonly HostRoute[],
): readonly HostRoute[] {
  const rules = new Map<string, PathRoute[]>();
  const defaults = new Map<string, PathRoute[]>();
  for (const ingress of ingresses.toSorted(byAge)) {
    const namespace = ingress.metadata.namespace ?? "default";
    const claimed = new Set<string>();
    for (const rule of ingress.spec.rules ?? []) {
      const host = normalHost(rule.host ?? "");
      claimed.add(host);
      for (const path of rule.http?.paths ?? []) {
        const backend = backendKey(namespace, path.backend, lookup);
        if (backend !== undefined) append(rules, host, toPathRoute(path.path, path.pathType, backend));
      }
    }
    const fallback = ingress.spec.defaultBackend && backendKey(namespace, ingress.spec.defaultBackend, lookup);
    if (fallback === undefined) continue;
    for (const host of new Set([...claimed, ""])) append(defaults, host, toPathRoute("/", "Prefix", fallback));
  }
  for (const { host, paths } of serviceHosts) append(defaults, normalHost(host), ...paths);
  return [...new Set([...rules.keys(), ...defaults.keys()])].sort().map((host) => ({
    host,
    paths: withoutShadowed([...(rules.get(host) ?? []).sort(byPrecedence), ...(defaults.get(host) ?? [])]),
  }));
}

/** Lower case, without the root's dot. */
export function normalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function backendKey(namespace: string, backend: IngressBackend, lookup: BackendLookup): string | undefined {
  return backend.service === undefined ? undefined : lookup(namespace, backend.service.name, backend.service.port);
}

function toPathRoute(path: string | undefined, type: string | undefined, backend: string): PathRoute {
  const rooted = path === undefined || !path.startsWith("/") ? `/${path ?? ""}` : path;
  if (type === "Exact") return { path: rooted, type: "Exact", backend };
  const trimmed = rooted.replace(/\/+$/, "");
  return { path: trimmed === "" ? "/" : trimmed, type: "Prefix", backend };
}

/** The longer path first; of equal ones the exact one first. Equal routes keep the order of their Ingresses' age. */
function byPrecedence(a: PathRoute, b: PathRoute): number {
  if (a.path.length !== b.path.length) return b.path.length - a.path.length;
  return Number(b.type === "Exact") - Number(a.type === "Exact");
}

function withoutShadowed(paths: readonly PathRoute[]): readonly PathRoute[] {
  const seen = new Set<string>();
  return paths.filter(({ path, type }) => {
    const key = `${type} ${path}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function byAge(a: Ingress, b: Ingress): number {
  const left = [a.metadata.creationTimestamp ?? "", a.metadata.namespace ?? "", a.metadata.name].join("\n");
  const right = [b.metadata.creationTimestamp ?? "", b.metadata.namespace ?? "", b.metadata.name].join("\n");
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function append(map: Map<string, PathRoute[]>, host: string, ...paths: readonly PathRoute[]): void {
  const list = map.get(host);
  if (list === undefined) map.set(host, [...paths]);
  else list.push(...paths);
}
