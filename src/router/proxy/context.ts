import type { Socket } from "node:net";
import type { Log } from "#lib";
import type { Balancer } from "../balance/balancer.ts";
import type { SeriesStore } from "../metrics/series.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ProxySettings } from "./settings.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What connections and exchanges share. */
export interface ProxyContext {
  readonly settings: ProxySettings;
  readonly balancer: Balancer;
  readonly pool: UpstreamPool;
  readonly deadlines: Deadlines;
  readonly series: SeriesStore;
  readonly log: Log;
  readonly newRequestId: () => string;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** True once the router is to end: no connection is kept alive any more. */
  draining: boolean;
  /** The client's side of each upgraded connection. */
  readonly tunnels: Set<Socket>;
}
