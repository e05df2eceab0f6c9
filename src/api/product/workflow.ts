import type { Problem } from "#lib";

/** A workflow of the default branch of a repository. */
export interface WorkflowSummary {
  readonly path: string;
  readonly name: string;
  readonly enabled: boolean;
  /** Names of the events that start it. */
  readonly events: readonly string[];
  readonly schedules: readonly WorkflowSchedule[];
  readonly problems: readonly Problem[];
  /** What a start by hand takes; absent when it cannot be started so. */
  readonly inputs?: readonly WorkflowInput[];
}

export interface WorkflowSchedule {
  readonly cron: string;
  readonly timezone: string;
  /** RFC 3339; absent while the workflow is disabled. */
  readonly nextAt?: string;
}

export interface WorkflowInput {
  readonly name: string;
  readonly description?: string;
  readonly type: "string" | "boolean" | "number" | "choice" | "environment";
  readonly required: boolean;
  readonly default?: boolean | number | string;
  readonly options: readonly string[];
}

/** A schedule of an enabled workflow. */
export interface ScheduledWorkflow extends Required<WorkflowSchedule> {
  readonly repository: string;
  readonly path: string;
  /** Its name. */
  readonly workflow: string;
}
