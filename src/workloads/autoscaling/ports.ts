/** What autoscaling needs of others. */
import type { LabelSelector } from "#api";

/** Metrics beyond processor time and memory, by whoever keeps series. Values are plain numbers. */
export interface MetricSeriesPort {
  /** By pod name: what each pod of the namespace says of itself. */
  ofPods(
    metric: { readonly name: string; readonly selector?: LabelSelector },
    namespace: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  /** Of one object, its labels naming it by its kind. */
  ofObject(
    metric: { readonly name: string; readonly selector?: LabelSelector },
    object: { readonly kind: string; readonly name: string; readonly namespace: string },
    signal: AbortSignal,
  ): Promise<readonly number[]>;
  /** Of anything, by name and labels alone. */
  external(
    metric: { readonly name: string; readonly selector?: LabelSelector },
    signal: AbortSignal,
  ): Promise<readonly number[]>;
}
