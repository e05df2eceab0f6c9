/**
 * What the router knows: plain data, replaced whole, so that a change of weights or endpoints is one assignment and a
 * request never sees half of it. It travels as JSON to the router processes and lies on their disk.
 */

/** One address that takes requests. */
export interface TableEndpoint {
  /** An IP literal. */
  readonly ip: string;
  readonly port: number;
  /** The pod's template hash, "" when it has none. */
  readonly revision: string;
  /** UID of the pod, "" when the endpoint has none: tells a new pod from an old one that had the same port. */
  readonly pod: string;
}

/** Endpoints that share one weight: a revision under a split, all endpoints otherwise. */
export interface EndpointGroup {
  /** The revision, or `everyRevision` without a split. */
  readonly key: string;
  /** Greater than 0. Weights of a backend are relative to each other; they need not add up to 100. */
  readonly weight: number;
  /** Never empty; sorted by address. */
  readonly endpoints: readonly TableEndpoint[];
}

/** One port of one Service. Without groups every request is answered 503. */
export interface Backend {
  /** `namespace/service:port`. */
  readonly key: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  readonly groups: readonly EndpointGroup[];
}

/** The first path that matches is taken: they are sorted by precedence. */
export interface PathRoute {
  /** Begins with "/"; a Prefix has no slash at its end, except "/" itself. */
  readonly path: string;
  readonly type: "Exact" | "Prefix";
  /** Key of the backend. */
  readonly backend: string;
}

export interface HostRoute {
  /** Lower case; `*.example.com` stands for one more label; "" for every host that no other route names. */
  readonly host: string;
  readonly paths: readonly PathRoute[];
}

/** A TrafficSplit that this table obeys, at the generation of its spec. */
export interface SplitGeneration {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
}

export interface RoutingTable {
  readonly generation: number;
  readonly backends: readonly Backend[];
  readonly hosts: readonly HostRoute[];
  readonly splits: readonly SplitGeneration[];
}

/** Group key of a service that no split divides. No label value can be "*". */
export const everyRevision = "*";

export const emptyTable: RoutingTable = { generation: 0, backends: [], hosts: [], splits: [] };

/** `10.0.0.1:8080` or `[::1]:8080`: how endpoints are named in status, draining and logs. */
export function addressOf(endpoint: Pick<TableEndpoint, "ip" | "port">): string {
  return endpoint.ip.includes(":") ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
}

/** Which TrafficSplits, at which generation, are in force once this table is active. */
export function splitGenerations(table: RoutingTable): readonly SplitGeneration[] {
  return table.splits;
}

/** The addresses that may get requests by this table, each once, sorted. */
export function endpointsOf(table: RoutingTable): readonly string[] {
  const addresses = table.backends.flatMap((backend) =>
    backend.groups.flatMap((group) => group.endpoints.map((endpoint) => addressOf(endpoint))),
  );
  return [...new Set(addresses)].sort();
}
