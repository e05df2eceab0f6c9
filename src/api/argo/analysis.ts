/** Argo Rollouts' `AnalysisTemplate`, `ClusterAnalysisTemplate` and `AnalysisRun`. */
import type { IntOrString, KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface AnalysisTemplate extends KubeObject {
  spec: AnalysisTemplateSpec;
}

export interface AnalysisTemplateSpec {
  metrics?: Metric[];
  args?: AnalysisArgument[];
  dryRun?: DryRun[];
  measurementRetention?: MeasurementRetention[];
  /** Templates whose metrics and args are taken too. */
  templates?: TemplateRef[];
}

export interface TemplateRef {
  templateName: string;
  clusterScope?: boolean;
}

export interface AnalysisArgument {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } };
}

/** `metricName` is a regular expression, not anchored. */
export interface DryRun {
  metricName: string;
}

/** `metricName` is a regular expression, not anchored. */
export interface MeasurementRetention {
  metricName: string;
  limit: number;
}

/** Limits and counts may be texts, so that args can fill them. */
export interface Metric {
  name: string;
  interval?: string;
  initialDelay?: string;
  count?: IntOrString;
  successCondition?: string;
  failureCondition?: string;
  failureLimit?: IntOrString;
  inconclusiveLimit?: IntOrString;
  consecutiveErrorLimit?: IntOrString;
  consecutiveSuccessLimit?: IntOrString;
  provider: MetricProvider;
}

/** Exactly one is set. */
export interface MetricProvider {
  prometheus?: PrometheusProvider;
  [other: string]: unknown;
}

export interface PrometheusProvider {
  address?: string;
  query?: string;
  /** Seconds; 30 when absent. */
  timeout?: number;
  insecure?: boolean;
  headers?: { key: string; value: string }[];
  rangeQuery?: { start?: string; end?: string; step?: string };
  authentication?: {
    basicAuth?: { username?: string; password?: string };
    oauth2?: { tokenUrl?: string; clientId?: string; clientSecret?: string; scopes?: string[] };
    sigv4?: { region?: string; profile?: string; roleArn?: string };
  };
}

/** "" is upstream's "not reconciled yet". */
export type AnalysisPhase = "" | "Pending" | "Running" | "Successful" | "Failed" | "Error" | "Inconclusive";

export interface AnalysisRun extends KubeObject {
  spec: AnalysisRunSpec;
  status?: AnalysisRunStatus;
}

export interface AnalysisRunSpec {
  metrics: Metric[];
  args?: AnalysisArgument[];
  /** Set by whoever wants the run to end early. */
  terminate?: boolean;
  dryRun?: DryRun[];
  measurementRetention?: MeasurementRetention[];
  ttlStrategy?: { secondsAfterCompletion?: number; secondsAfterSuccess?: number; secondsAfterFailure?: number };
}

export interface AnalysisRunStatus {
  phase: AnalysisPhase;
  message?: string;
  metricResults?: MetricResult[];
  startedAt?: string;
  runSummary?: MetricSummary;
  dryRunSummary?: MetricSummary;
  completedAt?: string;
}

export interface MetricSummary {
  count?: number;
  successful?: number;
  failed?: number;
  inconclusive?: number;
  error?: number;
}

export interface MetricResult {
  name: string;
  phase: AnalysisPhase;
  measurements?: Measurement[];
  message?: string;
  count?: number;
  successful?: number;
  failed?: number;
  inconclusive?: number;
  error?: number;
  consecutiveError?: number;
  consecutiveSuccess?: number;
  dryRun?: boolean;
  metadata?: Record<string, string>;
}

export interface Measurement {
  phase: AnalysisPhase;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  value?: string;
  metadata?: Record<string, string>;
  resumeAt?: string;
}

const analysisGroup = { group: "argoproj.io", version: "v1alpha1" } as const;

export const analysisTemplates: ResourceType<AnalysisTemplate> = {
  ...analysisGroup,
  kind: "AnalysisTemplate",
  plural: "analysistemplates",
  namespaced: true,
};

export const clusterAnalysisTemplates: ResourceType<AnalysisTemplate> = {
  ...analysisGroup,
  kind: "ClusterAnalysisTemplate",
  plural: "clusteranalysistemplates",
  namespaced: false,
};

export const analysisRuns: ResourceType<AnalysisRun> = {
  ...analysisGroup,
  kind: "AnalysisRun",
  plural: "analysisruns",
  namespaced: true,
};

/** Whether nothing more will happen to a run or metric in this phase. */
export function isFinished(phase: AnalysisPhase): boolean {
  return phase === "Successful" || phase === "Failed" || phase === "Error" || phase === "Inconclusive";
}
