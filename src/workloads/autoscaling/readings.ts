/** What an autoscaler was told of a metric. All values are in thousandths. */
export interface PodReading {
  readonly milli: number;
  readonly atMs: number;
  /** The span it is the average of. */
  readonly windowMs: number;
}

export type MetricReading =
  /** By pod name. */
  | { readonly kind: "pods"; readonly pods: ReadonlyMap<string, PodReading> }
  /** Of an object, or of something outside of the cluster: all values that were found. */
  | { readonly kind: "values"; readonly values: readonly number[] }
  | { readonly kind: "error"; readonly message: string };
