/** Argo Rollouts' `Rollout`. Field names and meanings are upstream's, also where only validation reads them. */
import type { PodTemplateSpec } from "../core/pod.ts";
import type { Condition, IntOrString, KubeObject, LabelSelector } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";
import type { AnalysisPhase, DryRun, MeasurementRetention, TemplateRef } from "./analysis.ts";

export interface Rollout extends KubeObject {
  spec: RolloutSpec;
  status?: RolloutStatus;
}

export interface RolloutSpec {
  replicas?: number;
  selector: LabelSelector;
  template: PodTemplateSpec;
  workloadRef?: { apiVersion?: string; kind?: string; name?: string; scaleDown?: string };
  minReadySeconds?: number;
  rollbackWindow?: { revisions?: number };
  strategy: { canary?: CanaryStrategy; blueGreen?: Record<string, unknown> };
  revisionHistoryLimit?: number;
  paused?: boolean;
  progressDeadlineSeconds?: number;
  progressDeadlineAbort?: boolean;
  restartAt?: string;
  /** How many finished runs to keep. */
  analysis?: { successfulRunHistoryLimit?: number; unsuccessfulRunHistoryLimit?: number };
}

export interface CanaryStrategy {
  canaryService?: string;
  stableService?: string;
  steps?: CanaryStep[];
  trafficRouting?: Record<string, unknown>;
  maxUnavailable?: IntOrString;
  maxSurge?: IntOrString;
  /** Runs beside the steps from `startingStep` on. */
  analysis?: RolloutAnalysis & { startingStep?: number };
  antiAffinity?: Record<string, unknown>;
  canaryMetadata?: Record<string, unknown>;
  stableMetadata?: Record<string, unknown>;
  scaleDownDelaySeconds?: number;
  scaleDownDelayRevisionLimit?: number;
  abortScaleDownDelaySeconds?: number;
  dynamicStableScale?: boolean;
  pingPong?: { pingService?: string; pongService?: string };
  minPodsPerReplicaSet?: number;
  replicaProgressThreshold?: { type: "Percent" | "Pods"; value: number };
}

/** Exactly one field is set. */
export interface CanaryStep {
  setWeight?: number;
  /** Without a duration it waits for a promotion. */
  pause?: { duration?: IntOrString };
  analysis?: RolloutAnalysis;
  experiment?: Record<string, unknown>;
  setCanaryScale?: { weight?: number; replicas?: number; matchTrafficWeight?: boolean };
  setHeaderRoute?: { name?: string; match?: unknown[] };
  setMirrorRoute?: { name?: string; match?: unknown[]; percentage?: number };
  plugin?: { name?: string; config?: unknown };
}

export interface RolloutAnalysis {
  templates?: TemplateRef[];
  args?: RolloutAnalysisArgument[];
  dryRun?: DryRun[];
  measurementRetention?: MeasurementRetention[];
  analysisRunMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

export interface RolloutAnalysisArgument {
  name: string;
  value?: string;
  valueFrom?: { podTemplateHashValue?: "Latest" | "Stable"; fieldRef?: { fieldPath: string } };
}

export type RolloutPhase = "Healthy" | "Degraded" | "Progressing" | "Paused";

export type PauseReason = "CanaryPauseStep" | "InconclusiveAnalysisRun" | "InconclusiveExperiment" | "BlueGreenPause";

export interface PauseCondition {
  reason: PauseReason;
  startTime: string;
}

export interface WeightDestination {
  weight: number;
  serviceName?: string;
  podTemplateHash?: string;
}

export interface TrafficWeights {
  canary: WeightDestination;
  stable: WeightDestination;
  additional?: WeightDestination[];
  /** Absent when it cannot be verified or need not be. */
  verified?: boolean;
}

export interface CurrentAnalysisRun {
  name: string;
  /** "" between naming the run and its first reconcile. */
  status: AnalysisPhase;
  message?: string;
}

export interface RolloutStatus {
  abort?: boolean;
  abortedAt?: string;
  pauseConditions?: PauseCondition[] | null;
  /** True from the moment the controller paused until it has seen the pause ended. */
  controllerPause?: boolean;
  /** Pod-template-hash of the desired revision. */
  currentPodHash?: string;
  /** Hash of the steps: a change of them starts again. */
  currentStepHash?: string;
  currentStepIndex?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  collisionCount?: number;
  /** A string, upstream's oddity. */
  observedGeneration?: string;
  conditions?: Condition[];
  canary?: {
    currentStepAnalysisRunStatus?: CurrentAnalysisRun;
    currentBackgroundAnalysisRunStatus?: CurrentAnalysisRun;
    weights?: TrafficWeights;
  };
  blueGreen?: Record<string, unknown>;
  HPAReplicas?: number;
  selector?: string;
  /** Pod-template-hash of the revision that was last promoted in full. */
  stableRS?: string;
  restartedAt?: string;
  promoteFull?: boolean;
  phase?: RolloutPhase;
  message?: string;
}

export const rollouts: ResourceType<Rollout> = {
  group: "argoproj.io",
  version: "v1alpha1",
  kind: "Rollout",
  plural: "rollouts",
  namespaced: true,
};

/** On a ReplicaSet: which revision of its Rollout it is. On a Rollout: the newest. Not a stable identity: rollbacks renumber. */
export const revisionAnnotation = "rollout.argoproj.io/revision";
/** On a ReplicaSet: `spec.replicas` of the Rollout when it was last scaled. */
export const desiredReplicasAnnotation = "rollout.argoproj.io/desired-replicas";
