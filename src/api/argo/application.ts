/** Argo CD's `Application`: what of a repository runs where, and how far that is so. Fields and meanings are upstream's. */
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export type SyncStatusCode = "Synced" | "OutOfSync" | "Unknown";
export type HealthStatusCode = "Healthy" | "Suspended" | "Progressing" | "Missing" | "Degraded" | "Unknown";
export type OperationPhase = "Running" | "Terminating" | "Failed" | "Error" | "Succeeded";
export type SyncPhase = "PreSync" | "Sync" | "PostSync" | "SyncFail";
export type ResultCode = "Synced" | "SyncFailed" | "Pruned" | "PruneSkipped";

export interface KustomizeReplica {
  name: string;
  count: number | string;
}

export interface KustomizeSource {
  namePrefix?: string;
  nameSuffix?: string;
  namespace?: string;
  /** `[old=]name[:tag][@digest]` */
  images?: string[];
  replicas?: KustomizeReplica[];
  commonLabels?: Record<string, string>;
  commonAnnotations?: Record<string, string>;
  patches?: { path?: string; patch?: string; target?: Record<string, string>; options?: Record<string, boolean> }[];
  labelWithoutSelector?: boolean;
  labelIncludeTemplates?: boolean;
  [other: string]: unknown;
}

export interface ApplicationSource {
  repoURL: string;
  path?: string;
  targetRevision?: string;
  chart?: string;
  ref?: string;
  kustomize?: KustomizeSource;
  directory?: { recurse?: boolean; include?: string; exclude?: string; jsonnet?: Record<string, unknown> };
  helm?: Record<string, unknown>;
  plugin?: Record<string, unknown>;
}

export interface ApplicationDestination {
  server?: string;
  name?: string;
  namespace?: string;
}

export interface RetryStrategy {
  /** Below 0: without end. */
  limit?: number;
  backoff?: { duration?: string; factor?: number; maxDuration?: string };
  /** Whether a retry takes the newest revision instead of the first one's. */
  refresh?: boolean;
}

export interface SyncPolicy {
  automated?: { prune?: boolean; selfHeal?: boolean; allowEmpty?: boolean; enabled?: boolean };
  syncOptions?: string[];
  retry?: RetryStrategy;
  managedNamespaceMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

export interface ResourceIgnoreDifferences {
  group?: string;
  kind: string;
  name?: string;
  namespace?: string;
  jsonPointers?: string[];
  jqPathExpressions?: string[];
  managedFieldsManagers?: string[];
}

export interface SyncOperationResource {
  group?: string;
  kind: string;
  name: string;
  namespace?: string;
}

export interface SyncOperation {
  revision?: string;
  prune?: boolean;
  dryRun?: boolean;
  resources?: SyncOperationResource[];
  syncOptions?: string[];
  syncStrategy?: { apply?: { force?: boolean }; hook?: { force?: boolean } };
  /** Overrides `spec.source`: how a rollback is said. */
  source?: ApplicationSource;
  manifests?: string[];
  /** Set by self-heal only: how many have followed one another. */
  selfHealAttemptsCount?: number;
}

/** At the root of an Application: asks for a sync; taken away when it begins. */
export interface Operation {
  sync?: SyncOperation;
  retry?: RetryStrategy;
  initiatedBy?: { username?: string; automated?: boolean };
  info?: { name: string; value: string }[];
}

export interface ResourceResult {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  status?: ResultCode;
  message?: string;
  syncPhase?: SyncPhase;
  hookType?: SyncPhase;
  /** For hooks: how it went; for the rest: whether it is there and healthy. */
  hookPhase?: OperationPhase;
}

export interface OperationState {
  operation: Operation;
  phase: OperationPhase;
  message?: string;
  startedAt: string;
  finishedAt?: string;
  retryCount?: number;
  syncResult?: { revision: string; source?: ApplicationSource; resources?: ResourceResult[] };
}

export interface ResourceStatus {
  group?: string;
  version: string;
  kind: string;
  namespace?: string;
  name: string;
  status?: SyncStatusCode;
  health?: { status: HealthStatusCode; message?: string };
  hook?: boolean;
  requiresPruning?: boolean;
  syncWave?: number;
}

export interface RevisionHistory {
  id: number;
  revision: string;
  source?: ApplicationSource;
  deployedAt: string;
  deployStartedAt?: string;
  initiatedBy?: { username?: string; automated?: boolean };
}

export type ApplicationConditionType =
  | "ComparisonError"
  | "InvalidSpecError"
  | "SyncError"
  | "DeletionError"
  | "SharedResourceWarning"
  | "RepeatedResourceWarning"
  /** Ours: an option that has no effect is said, not swallowed. */
  | "UnsupportedSyncOptionWarning"
  | "UnknownError";

export interface ApplicationCondition {
  type: ApplicationConditionType;
  message: string;
  lastTransitionTime?: string;
}

export interface ApplicationStatus {
  sync?: {
    status: SyncStatusCode;
    revision?: string;
    comparedTo?: {
      source?: ApplicationSource;
      destination: ApplicationDestination;
      ignoreDifferences?: ResourceIgnoreDifferences[];
    };
  };
  health?: { status: HealthStatusCode; lastTransitionTime?: string };
  history?: RevisionHistory[];
  conditions?: ApplicationCondition[];
  reconciledAt?: string;
  operationState?: OperationState;
  resources?: ResourceStatus[];
  summary?: { images?: string[]; externalURLs?: string[] };
  sourceType?: string;
  controllerNamespace?: string;
}

export interface Application extends KubeObject {
  spec: {
    project?: string;
    source?: ApplicationSource;
    sources?: ApplicationSource[];
    destination: ApplicationDestination;
    syncPolicy?: SyncPolicy;
    ignoreDifferences?: ResourceIgnoreDifferences[];
    info?: { name: string; value: string }[];
    revisionHistoryLimit?: number;
    sourceHydrator?: Record<string, unknown>;
  };
  operation?: Operation | null;
  status?: ApplicationStatus;
}

export const applications: ResourceType<Application> = {
  group: "argoproj.io",
  version: "v1alpha1",
  kind: "Application",
  plural: "applications",
  namespaced: true,
};

/** `<app>:<group>/<kind>:<namespace>/<name>`: marks an object as belonging to an Application. */
export const trackingIdAnnotation = "argocd.argoproj.io/tracking-id";
/** `normal` or `hard`: asks for a look at the repository now; taken away when that has happened. */
export const refreshAnnotation = "argocd.argoproj.io/refresh";
/** With it, deleting the Application deletes what it manages first. */
export const cascadeFinalizer = "resources-finalizer.argocd.argoproj.io";
