/**
 * A workflow file as the rest of the room knows it: plain JSON, so that a run keeps the very workflow it started with.
 * Strings may hold `${{ }}` where GitHub allows it; nothing is evaluated yet. What was added after the first release is
 * optional, since runs of earlier ones go on.
 */
import type { Location } from "#lib";
import type { ContextObject, ContextValue, Permissions, StepDefinition } from "../protocol.ts";

export type { PermissionLevel, Permissions } from "../protocol.ts";

export interface Workflow {
  /** Path in the repository. */
  readonly path: string;
  /** `name:`, else the path. */
  readonly name: string;
  readonly runName?: string;
  readonly on: Triggers;
  readonly env: TextRecord;
  readonly defaults: RunDefaults;
  readonly permissions?: Permissions;
  readonly concurrency?: Concurrency;
  readonly jobs: readonly Job[];
  /** Forgejo's `enable-openid-connect`. */
  readonly openIdConnect?: boolean;
  /** Of a called workflow: where it was read. Absent for the workflow of the run itself. */
  readonly origin?: WorkflowOrigin;
}

export interface WorkflowOrigin {
  /** `owner/name` */
  readonly repository: string;
  /** As the call names it; of a local call the ref of the caller. */
  readonly ref: string;
  readonly sha: string;
}

/**
 * Names to texts. The key `${{ insert }}` stands for all pairs of the object that its value evaluates to: also how an
 * expression in place of the whole mapping is kept.
 */
export type TextRecord = Readonly<Record<string, string>>;

export interface Triggers {
  readonly push?: RefFilters & PathFilters;
  readonly pullRequest?: PullRequestTrigger;
  readonly pullRequestTarget?: PullRequestTrigger;
  readonly workflowDispatch?: { readonly inputs: readonly DispatchInput[] };
  readonly workflowCall?: CallInterface;
  readonly workflowRun?: WorkflowRunTrigger;
  readonly schedule?: readonly ScheduleTrigger[];
  /** Without `types` every type. */
  readonly repositoryDispatch?: { readonly types?: readonly string[] };
  /** All other events by name. */
  readonly activities?: Readonly<Record<string, ActivityTrigger>>;
}

/** Of each pair at most one list is there. */
export interface RefFilters {
  readonly branches?: readonly string[];
  readonly branchesIgnore?: readonly string[];
  readonly tags?: readonly string[];
  readonly tagsIgnore?: readonly string[];
}

export type BranchFilters = Pick<RefFilters, "branches" | "branchesIgnore">;

export interface PathFilters {
  readonly paths?: readonly string[];
  readonly pathsIgnore?: readonly string[];
}

export interface PullRequestTrigger extends BranchFilters, PathFilters {
  readonly types: readonly string[];
}

/** Without `types` every activity of the event. */
export interface ActivityTrigger extends BranchFilters {
  readonly types?: readonly string[];
}

export interface WorkflowRunTrigger extends ActivityTrigger {
  /** Names of workflows, or their paths. */
  readonly workflows: readonly string[];
}

export interface ScheduleTrigger {
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
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

/** What a workflow that can be called takes and gives. */
export interface CallInterface {
  readonly inputs: readonly CallInput[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  /** Names to templates that read `jobs`. */
  readonly outputs: TextRecord;
}

export interface CallInput {
  readonly name: string;
  readonly type: "string" | "boolean" | "number";
  readonly required: boolean;
  /** A text may be a template. */
  readonly default?: boolean | number | string;
}

export interface RunDefaults {
  readonly shell?: string;
  readonly workingDirectory?: string;
}

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
  readonly env: TextRecord;
  readonly defaults: RunDefaults;
  readonly outputs: TextRecord;
  readonly steps: readonly StepDefinition[];
  readonly timeoutMinutes?: number | string;
  readonly cancelTimeoutMinutes?: number | string;
  readonly continueOnError: boolean | string;
  readonly permissions?: Permissions;
  /** Forgejo's `enable-openid-connect`; wins over the workflow's. */
  readonly openIdConnect?: boolean;
  readonly concurrency?: Concurrency;
  readonly environment?: JobEnvironment;
  /** A template tree, as written: `{image, env, …}` or the image alone. */
  readonly container?: ContextValue;
  /** A template tree: service names to containers. */
  readonly services?: ContextValue;
  /** Of a job that calls a workflow: it has no steps and no runner. */
  readonly call?: WorkflowCall;
  /** Of a run from a working tree. */
  readonly leftOut?: LeftOut;
  readonly at: Location;
}

/** What whoever runs a working tree does not want of a job, or cannot have. */
export interface LeftOut {
  /** Combinations whose value of one of these keys is none of the values. */
  readonly matrixBut: Readonly<Record<string, readonly string[]>>;
  /** Jobs that ask for a label that begins with one of these: they are for other systems, and are skipped. */
  readonly labels: readonly string[];
}

export interface JobEnvironment {
  readonly name: string;
  readonly url?: string;
  /** Whether a deployment is recorded; absent: yes. A string is a template that must give a boolean. */
  readonly deployment?: boolean | string;
}

export interface WorkflowCall {
  /** `./.github/workflows/file.yml`, or `owner/repo/.github/workflows/file.yml@ref`, perhaps with a whole URL before it. */
  readonly uses: string;
  readonly with: ContextObject;
  readonly secrets: "inherit" | TextRecord;
  /** The called workflow; absent only until it is linked. */
  readonly workflow?: Workflow;
  /** Until it is linked: where `with.<name>` and `secrets.<name>` stand. */
  readonly places?: Readonly<Record<string, Location>>;
  readonly at: Location;
}

/** `labels` is a template whose value is one label or a list of them. */
export interface RunsOn {
  readonly labels: ContextValue;
  /** A template: only runners of this group. */
  readonly group?: string;
}

export interface Strategy {
  readonly failFast: boolean | string;
  readonly maxParallel?: number | string;
  /** Absent: one job. A string is a template that must give an object. */
  readonly matrix?: string | ContextObject;
  /** A template in place of all of it. */
  readonly whole?: string;
}
