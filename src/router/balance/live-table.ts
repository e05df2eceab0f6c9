/**
 * The table in use: endpoints with what has happened to them, wheels with where they stand. A swap builds the new one
 * beside the old, taking over endpoints that stay, and is then one assignment.
 */
import { RouteMatcher } from "../table/match-route.ts";
import { addressOf, type Backend, type RoutingTable, type TableEndpoint } from "../table/routing-table.ts";
import { buildWheel, mountWheel, turn, type WheelState } from "../table/wheel.ts";
import { healthy, type Health } from "./health.ts";

/** Identity is address and pod: a new pod on an old port starts healthy and is not confused with the one that drains. */
export class LiveEndpoint {
  readonly address: string;
  readonly ip: string;
  readonly port: number;
  readonly pod: string;
  readonly revision: string;
  health: Health = healthy;
  /** Requests and tunnels that run on it. */
  inFlight = 0;
  /** No longer in the table. */
  removed = false;

  constructor(endpoint: TableEndpoint) {
    this.address = addressOf(endpoint);
    this.ip = endpoint.ip;
    this.port = endpoint.port;
    this.pod = endpoint.pod;
    this.revision = endpoint.revision;
  }
}

interface LiveGroup {
  readonly endpoints: readonly LiveEndpoint[];
  /** Round robin within the group. */
  next: number;
}

export class LiveBackend {
  readonly namespace: string;
  readonly service: string;
  readonly #groups: readonly LiveGroup[];
  readonly #keys: readonly string[];
  readonly #wheel: WheelState;

  constructor(backend: Backend, old: LiveBackend | undefined, endpointFor: (endpoint: TableEndpoint) => LiveEndpoint) {
    this.namespace = backend.namespace;
    this.service = backend.service;
    this.#keys = backend.groups.map((group) => group.key);
    this.#groups = backend.groups.map((group) => ({
      endpoints: group.endpoints.map(endpointFor),
      next: old?.groupPosition(group.key) ?? 0,
    }));
    this.#wheel = mountWheel(buildWheel(backend.groups), old?.wheel);
  }

  get wheel(): WheelState {
    return this.#wheel;
  }

  groupPosition(key: string): number {
    return this.#groups[this.#keys.indexOf(key)]?.next ?? 0;
  }

  /**
   * The endpoint for a new request. The wheel chooses the group; when none of its endpoints can take it (ejected), the
   * other groups do, and when all are ejected, ejection is ignored: a failed attempt is no worse than a refusal.
   */
  pick(): LiveEndpoint | undefined {
    const first = turn(this.#wheel);
    return first < 0 ? undefined : this.#pickFrom(first, none);
  }

  /** For another attempt of the same request: the same revision if it has another endpoint. Does not turn the wheel. */
  pickAgain(tried: readonly LiveEndpoint[]): LiveEndpoint | undefined {
    const last = tried.at(-1);
    const group = this.#groups.findIndex(({ endpoints }) => last !== undefined && endpoints.includes(last));
    return this.#pickFrom(Math.max(group, 0), tried);
  }

  #pickFrom(first: number, tried: readonly LiveEndpoint[]): LiveEndpoint | undefined {
    const groups = this.#groups;
    for (const ignoreHealth of [false, true]) {
      for (let i = 0; i < groups.length; i++) {
        const group = groups[(first + i) % groups.length];
        const found = group === undefined ? undefined : pickInGroup(group, tried, ignoreHealth);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

const none: readonly LiveEndpoint[] = [];

function pickInGroup(
  group: LiveGroup,
  tried: readonly LiveEndpoint[],
  ignoreHealth: boolean,
): LiveEndpoint | undefined {
  const { endpoints } = group;
  for (let i = 0; i < endpoints.length; i++) {
    const index = (group.next + i) % endpoints.length;
    const endpoint = endpoints[index];
    if (endpoint === undefined || (!ignoreHealth && endpoint.health.state === "out")) continue;
    if (tried.length > 0 && tried.includes(endpoint)) continue;
    group.next = (index + 1) % endpoints.length;
    return endpoint;
  }
  return undefined;
}

export class LiveTable {
  readonly table: RoutingTable;
  readonly #matcher: RouteMatcher;
  readonly #backends = new Map<string, LiveBackend>();
  readonly #endpoints = new Map<string, LiveEndpoint>();

  constructor(table: RoutingTable, old: LiveTable | undefined) {
    this.table = table;
    this.#matcher = new RouteMatcher(table.hosts);
    for (const backend of table.backends) {
      const before = old?.backend(backend.key);
      this.#backends.set(backend.key, new LiveBackend(backend, before, (endpoint) => this.#takeOver(endpoint, old)));
    }
  }

  get endpoints(): IterableIterator<LiveEndpoint> {
    return this.#endpoints.values();
  }

  match(authority: string, path: string): string | undefined {
    return this.#matcher.match(authority, path);
  }

  backend(key: string): LiveBackend | undefined {
    return this.#backends.get(key);
  }

  endpoint(identity: string): LiveEndpoint | undefined {
    return this.#endpoints.get(identity);
  }

  has(endpoint: LiveEndpoint): boolean {
    return this.#endpoints.get(identityOf(endpoint, endpoint.address)) === endpoint;
  }

  #takeOver(endpoint: TableEndpoint, old: LiveTable | undefined): LiveEndpoint {
    const identity = identityOf(endpoint, addressOf(endpoint));
    const known = this.#endpoints.get(identity) ?? old?.endpoint(identity);
    const live = known ?? new LiveEndpoint(endpoint);
    this.#endpoints.set(identity, live);
    return live;
  }
}

function identityOf(endpoint: Pick<TableEndpoint, "pod" | "revision">, address: string): string {
  return `${address} ${endpoint.pod} ${endpoint.revision}`;
}
