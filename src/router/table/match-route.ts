/** From `Host` and path to a backend. Pure; built once per table so that a lookup is a map access for most hosts. */
import { normalHost } from "./ingress-routes.ts";
import type { HostRoute, PathRoute } from "./routing-table.ts";

export class RouteMatcher {
  readonly #exact = new Map<string, readonly PathRoute[]>();
  /** By the part after `*.`. */
  readonly #wildcard = new Map<string, readonly PathRoute[]>();
  #any: readonly PathRoute[] = [];

  constructor(hosts: readonly HostRoute[]) {
    for (const { host, paths } of hosts) {
      if (host === "") this.#any = paths;
      else if (host.startsWith("*.")) this.#wildcard.set(host.slice(2), paths);
      else this.#exact.set(host, paths);
    }
  }

  /**
   * Key of the backend. The most specific host that matches owns the request; paths it does not name go to the default
   * backend of unknown hosts.
   * @param authority the Host header, port included
   * @param path the request target up to the query
   */
  match(authority: string, path: string): string | undefined {
    const own = this.#pathsOf(authority);
    const found = own === undefined ? undefined : firstMatch(own, path);
    if (found !== undefined || own === this.#any) return found;
    return firstMatch(this.#any, path);
  }

  #pathsOf(authority: string): readonly PathRoute[] {
    const direct = this.#exact.get(authority);
    if (direct !== undefined) return direct;
    const host = normalHost(withoutPort(authority));
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    // "*.foo.com" stands for one label: bar.foo.com, not baz.bar.foo.com and not foo.com.
    const dot = host.indexOf(".");
    return (dot > 0 ? this.#wildcard.get(host.slice(dot + 1)) : undefined) ?? this.#any;
  }
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return colon < 0 || authority.endsWith("]") ? authority : authority.slice(0, colon);
}

function firstMatch(paths: readonly PathRoute[], path: string): string | undefined {
  for (const route of paths) if (pathMatches(route, path)) return route.backend;
  return undefined;
}

/** Prefixes match by path elements: `/foo` matches `/foo`, `/foo/` and `/foo/bar`, but not `/foobar`. */
function pathMatches(route: PathRoute, path: string): boolean {
  if (route.type === "Exact") return path === route.path;
  if (route.path === "/") return true;
  return path.startsWith(route.path) && (path.length === route.path.length || path[route.path.length] === "/");
}
