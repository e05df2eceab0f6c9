/**
 * A workflow file as the rest of the room knows it: plain JSON, so that a run keeps the very workflow it started with.
 * Strings may hold `${{ }}` where GitHub allows it; nothing is evaluated yet.
 */
import type { Location } from "#lib";
import type { ContextObject, ContextValue, StepDefinition } from "../protocol.ts";

export interface Workflow {
  /** Path in the repository. */
  readonly path: string;
  /** `name:`, else the path. */
  readonly name: string;
  readonly runName?: string;
  readonly on: Triggers;
  readonly env: Readonly<Record<string, string>>;
  readonly defaults: RunDefaults;
  readonly permissions?: Permissions;
  readonly concurrency?: Concurrency;
  readonly jobs: readonly Job[];
}

export interface Triggers {
  readonly push?: RefFilters & PathFilters;
  readonly pullRequest?: PullRequestTrigger;
  readonly workflowDispatch?: { readonly inputs: readonly DispatchInput[] };
}

/** Of each pair at most one list is there. */
export interface RefFilters {
  readonly branches?: readonly string[];
  readonly branchesIgnore?: readonly string[];
  readonly tags?: readonly string[];
  readonly tagsIgnore?: readonly string[];
}

export interface PathFilters {
  readonly paths?: readonly string[];
  readonly pathsIgnore?: readonly string[];
}

export interface PullRequestTrigger extends PathFilters {
  readonly types: readonly string[];
  readonly branches?: readonly string[];
  readonly branchesIgnore?: readonly string[];
}

export interface DispatchInput {
  readonly name: string;
  readonly description?: string;
  readonly type: "string" | "boolean" | "number" | "choice" | "environment";
  readonly required: boolean;
  readonly default?: boolean | number | string;
  /** Of type "choice". */
  readonly options: readonly string[];
}

export interface RunDefaults {
  readonly shell?: string;
  readonly workingDirectory?: string;
}

export type PermissionLevel = "read" | "write" | "none";
export type Permissions = "read-all" | "write-all" | Readonly<Record<string, PermissionLevel>>;

export interface Concurrency {
  readonly group: string;
  /** A string is a template that must give a boolean. */
  readonly cancelInProgress: boolean | string;
  readonly queue: "single" | "max";
}

export interface Job {
  /** The key under `jobs:`. */
  readonly key: string;
  readonly name?: string;
  readonly needs: readonly string[];
  /** Completed: calls a status function. */
  readonly if: string;
  readonly runsOn: RunsOn;
  readonly strategy: Strategy;
  readonly env: Readonly<Record<string, string>>;
  readonly defaults: RunDefaults;
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly StepDefinition[];
  readonly timeoutMinutes?: number | string;
  readonly continueOnError: boolean | string;
  readonly permissions?: Permissions;
  readonly environment?: { readonly name: string; readonly url?: string };
  readonly at: Location;
}

/** `labels` is a template whose value is one label or a list of them. */
export interface RunsOn {
  readonly labels: ContextValue;
  readonly group?: string;
}

export interface Strategy {
  readonly failFast: boolean | string;
  readonly maxParallel?: number | string;
  /** Absent: one job. A string is a template that must give an object. */
  readonly matrix?: string | ContextObject;
}
