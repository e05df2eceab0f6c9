/** What `planRollout` is given and what it returns: plain data, so that a plan can be shown, tested and simulated. */
import type { AnalysisRun, AnalysisTemplate, Pod, ReplicaSet, Rollout, RolloutStatus } from "#api";
import type { RevisionWeight } from "../ports.ts";

export interface ObservedRollout {
  readonly now: Temporal.Instant;
  readonly rollout: Rollout;
  /** Those the Rollout controls. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Those the Rollout controls, and whatever has a name that its status mentions. */
  readonly analysisRuns: readonly AnalysisRun[];
  /** Those of its namespace that it may refer to. */
  readonly templates: readonly AnalysisTemplate[];
  readonly clusterTemplates: readonly AnalysisTemplate[];
  /** Pods of its ReplicaSets; only looked at while a restart is wanted. */
  readonly pods: readonly Pod[];
  readonly traffic: ObservedTraffic;
}

/**
 * What is known of the split.
 * - `none`: the cluster splits by replica counts alone.
 * - `unknown`: nobody asked yet in this reconcile; a plan asks first (`setWeights`) and plans on with the answer.
 * - `set`: `weights` were set; `verified` is undefined where that cannot be known.
 */
export type ObservedTraffic =
  | { readonly kind: "none" }
  | { readonly kind: "unknown" }
  | { readonly kind: "set"; readonly weights: readonly RevisionWeight[]; readonly verified: boolean | undefined };

/** In the order to be done. Each is safe to do again, and what follows may be lost: the next plan makes up for it. */
export type Action =
  | { readonly kind: "setWeights"; readonly weights: readonly RevisionWeight[] }
  | { readonly kind: "setReplicas"; readonly replicas: number }
  /** Writes the revision number to the Rollout. */
  | { readonly kind: "setRevision"; readonly revision: number }
  | { readonly kind: "createReplicaSet"; readonly replicaSet: ReplicaSet }
  | {
      readonly kind: "annotateReplicaSet";
      readonly name: string;
      readonly annotations: Readonly<Record<string, string>>;
      readonly minReadySeconds: number;
    }
  | {
      readonly kind: "scaleReplicaSet";
      readonly name: string;
      readonly replicas: number;
      /** `spec.replicas` of the Rollout, for the annotation. */
      readonly desired: number;
    }
  | { readonly kind: "deleteReplicaSet"; readonly name: string }
  | { readonly kind: "deletePod"; readonly name: string }
  | { readonly kind: "createAnalysisRun"; readonly run: AnalysisRun }
  | { readonly kind: "terminateAnalysisRun"; readonly name: string }
  | { readonly kind: "deleteAnalysisRun"; readonly name: string }
  | {
      readonly kind: "recordEvent";
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    }
  | { readonly kind: "updateStatus"; readonly status: RolloutStatus }
  | { readonly kind: "requeueAfter"; readonly ms: number; readonly reason: string };
