/** What rollouts need from other rooms. */
import type { PrometheusProvider } from "#api";

/** Divides a rollout's requests among its revisions. */
export interface TrafficPort {
  /**
   * Makes `weights` (they add up to 100) hold. Idempotent, and asked again on every reconcile: so it also repairs what
   * somebody else changed.
   */
  setWeights(request: WeightRequest, signal: AbortSignal): Promise<{ readonly verified: boolean | undefined }>;
}

export interface WeightRequest {
  readonly namespace: string;
  /** Name of the Rollout. */
  readonly rollout: string;
  readonly uid: string;
  readonly weights: readonly RevisionWeight[];
}

export interface RevisionWeight {
  readonly podTemplateHash: string;
  readonly weight: number;
}

/** Asks a metric store. Throws an `AppError` whose message may be shown when there is no answer. */
export interface MeasurePort {
  query(provider: PrometheusProvider, at: Temporal.Instant, signal: AbortSignal): Promise<MeasureResult>;
}

export type MeasureResult =
  | { readonly kind: "scalar"; readonly value: number; readonly warnings?: readonly string[] }
  /** A vector has one value a series, a matrix all samples of all series one after the other. */
  | { readonly kind: "vector" | "matrix"; readonly values: readonly number[]; readonly warnings?: readonly string[] };
