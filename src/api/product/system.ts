/** The system itself, as `tidegate status` and the console's footer show it. */

export interface SystemStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly addresses: {
    readonly control: string;
    readonly traffic: string;
    readonly kubernetes: string;
    readonly registry: string;
  };
  readonly processes: readonly {
    readonly name: "control" | "router" | "runner";
    /** Of processes on this machine that we started. */
    readonly pid?: number;
    /** What a runner calls itself. */
    readonly label?: string;
    readonly state: "running" | "starting" | "stopped";
  }[];
  readonly pods: { readonly total: number; readonly ready: number };
  readonly repositories: number;
}

/** What `GET /api/tidegate/v1/events` sends as server-sent events named `change`: read the named thing again. */
export interface ChangeNotice {
  readonly topic: "deliveries" | "runs" | "pulls" | "applications" | "rollouts" | "repositories";
  /** Run id, or `namespace/name`; absent for the topic as a whole. */
  readonly key?: string;
}

/** Every failure of the product API. */
export interface ApiFailure {
  readonly error: { readonly code: string; readonly message: string; readonly problems?: readonly string[] };
}
