/** Runs as people and the product API see them. */
import type { Problem } from "#lib";
import type { JobActionView } from "../actions/job-actions.ts";
import type { Annotation, ContextObject, StepState } from "../protocol.ts";
import type { Conclusion, JobInstance, JobStatus } from "../plan/job-state.ts";
import type { DispatchInput, Job, Workflow } from "../parse/model.ts";
import { jobDefinition, prefixOf } from "../plan/job-path.ts";
import type { JobRow, RunRow } from "./schema.ts";

export interface RunView {
  readonly id: string;
  readonly number: number;
  readonly attempt: number;
  readonly repository: string;
  readonly workflow: { readonly name: string; readonly path: string };
  readonly title: string;
  readonly event: string;
  readonly ref: string;
  readonly sha: string;
  readonly actor: string;
  /** Who started this attempt. */
  readonly triggeringActor: string;
  /** `pending`: waits for another run of its concurrency group. */
  readonly status: "pending" | "queued" | "in_progress" | "completed";
  /** Exactly when completed. */
  readonly conclusion?: Conclusion;
  readonly cancelRequested: boolean;
  /** Why it waits, or ended without running. */
  readonly message?: string;
  /** Nothing of it goes on: it waits for a review, or a timer, of an environment. */
  readonly held?: boolean;
  /** What is wrong with the workflow file; with an error among them the run failed without starting a job. */
  readonly problems: readonly Problem[];
  /** RFC 3339. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
}

export interface RunDetails extends RunView {
  /** Jobs of the current attempt in the order of the file, then of the matrix. */
  readonly jobs: readonly JobView[];
}

export interface JobView {
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  /** Under `jobs:`; of a job of a called workflow with the path of the calls before it. */
  readonly key: string;
  readonly name: string;
  /** The job whose call brought this one into being. */
  readonly parentId?: string;
  /** Of a job that calls a workflow: which. */
  readonly uses?: string;
  /** Keys of the jobs it needs: the edges of the graph. */
  readonly needs: readonly string[];
  readonly status: JobStatus;
  readonly conclusion?: Conclusion;
  /** Why it ended or waits, when the conclusion does not say it all. */
  readonly message?: string;
  /** It waits for a review, or a timer, of its environment. */
  readonly held?: boolean;
  readonly environment?: string;
  /** Where what it deployed to the environment is seen. */
  readonly environmentUrl?: string;
  readonly matrix: ContextObject;
  readonly labels: readonly string[];
  readonly continueOnError: boolean;
  readonly cancelRequested: boolean;
  /** How often it was given to a runner. */
  readonly tries: number;
  readonly runnerName?: string;
  readonly steps: readonly StepView[];
  /** Actions of other repositories, and built-ins, as they were found for it. */
  readonly actions: readonly JobActionView[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly annotations: readonly Annotation[];
  readonly summary: string;
  readonly queuedAt?: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
}

export type StepView = StepState;

export interface LogEntryView {
  readonly step: number;
  /** From 0 within the step. */
  readonly line: number;
  readonly time: string;
  readonly text: string;
}

/** Something of a run changed; read it again to see what. */
export interface RunNotice {
  readonly runId: string;
  readonly jobId?: string;
  readonly kind: "run" | "job" | "steps" | "log";
}

export function runView(row: RunRow): RunView {
  return {
    id: String(row.id),
    number: row.number,
    attempt: row.attempt,
    repository: row.repository,
    workflow: { name: row.name, path: row.path },
    title: row.title,
    event: row.event_name,
    ref: row.ref,
    sha: row.sha,
    actor: row.actor,
    triggeringActor: row.triggering_actor,
    status: row.status,
    ...(row.conclusion === null ? {} : { conclusion: row.conclusion }),
    cancelRequested: row.cancel_requested === 1,
    ...(row.message === null ? {} : { message: row.message }),
    problems: JSON.parse(row.problems_json) as Problem[],
    createdAt: timestamp(row.created_at),
    ...time("startedAt", row.started_at),
    ...time("completedAt", row.completed_at),
  };
}

/** A workflow of the default branch. */
export interface WorkflowView {
  readonly path: string;
  readonly name: string;
  readonly enabled: boolean;
  /** Names of the events that start it. */
  readonly events: readonly string[];
  readonly schedules: readonly ScheduleView[];
  readonly problems: readonly Problem[];
  /** Inputs of a start by hand; absent when it cannot be. */
  readonly inputs?: readonly DispatchInput[];
}

export interface ScheduleView {
  readonly cron: string;
  readonly timezone: string;
  /** RFC 3339; absent while the workflow is disabled. */
  readonly nextAt?: string;
}

export interface ScheduledWorkflowView extends Required<ScheduleView> {
  readonly repository: string;
  readonly path: string;
  /** Its name. */
  readonly workflow: string;
}

/** A runner that asks for jobs, or did a moment ago. */
export interface RunnerView {
  readonly id: string;
  readonly name: string;
  readonly labels: readonly string[];
  /** RFC 3339. */
  readonly lastSeenAt: string;
}

export function jobView(
  row: JobRow,
  workflow: Workflow | undefined,
  steps: readonly StepState[],
  actions: readonly JobActionView[],
): JobView {
  const definition = jobDefinition(workflow, row.key);
  const prefix = prefixOf(row.key);
  const instance = row.instance_json === null ? undefined : (JSON.parse(row.instance_json) as JobInstance);
  return {
    id: String(row.id),
    runId: String(row.run_id),
    attempt: row.attempt,
    key: row.key,
    name: row.name,
    needs: (definition?.needs ?? []).map((key) => `${prefix}${key}`),
    ...(definition?.call === undefined ? {} : { uses: definition.call.uses }),
    status: row.status,
    ...(row.conclusion === null ? {} : { conclusion: row.conclusion }),
    ...(row.message === null ? {} : { message: row.message }),
    ...environmentOf(instance, definition),
    ...(row.environment_url === null ? {} : { environmentUrl: row.environment_url }),
    matrix: instance?.matrix ?? {},
    labels: instance?.labels ?? [],
    continueOnError: instance?.continueOnError ?? false,
    cancelRequested: row.cancel_requested === 1,
    tries: row.tries,
    ...(row.runner_name === null ? {} : { runnerName: row.runner_name }),
    steps: row.status === "completed" ? steps.map(endedStep) : steps,
    actions,
    outputs: JSON.parse(row.outputs_json) as Record<string, string>,
    annotations: JSON.parse(row.annotations_json) as Annotation[],
    summary: row.summary,
    ...time("queuedAt", row.queued_at),
    ...time("startedAt", row.started_at),
    ...time("completedAt", row.completed_at),
  };
}

/** Before it is expanded as it is written. */
function environmentOf(instance: JobInstance | undefined, definition: Job | undefined): Pick<JobView, "environment"> {
  const name = instance === undefined ? definition?.environment?.name : instance.environment?.name;
  return name === undefined ? {} : { environment: name };
}

/** A job that was lost or cancelled leaves steps that nobody completed. */
function endedStep(step: StepState): StepState {
  if (step.status === "completed") return step;
  return { ...step, status: "completed", conclusion: step.status === "queued" ? "skipped" : "cancelled" };
}

export function timestamp(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit: "millisecond" });
}

function time<K extends string>(key: K, ms: number | null): Partial<Record<K, string>> {
  return ms === null ? {} : ({ [key]: timestamp(ms) } as Record<K, string>);
}
