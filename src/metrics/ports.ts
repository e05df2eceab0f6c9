import type { Labels } from "./labels.ts";

/** Something that exposes metrics in the Prometheus text format. */
export interface ScrapeTarget {
  /** Stable while it is the same target; `job` and `instance` are in `labels`. */
  readonly key: string;
  /** Added to every sample; a label the target itself gives under the same name is kept as `exported_<name>`. */
  readonly labels: Labels;
  readonly read: (signal: AbortSignal) => Promise<string>;
}

export interface ScrapeTargetsPort {
  targets(): readonly ScrapeTarget[];
}
