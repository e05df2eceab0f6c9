/** Runs of workflows as people see them. */
import type { ActionUse } from "./action.ts";
import type { Problem } from "#lib";

export type RunStatus = "queued" | "in_progress" | "completed";
export type RunConclusion = "success" | "failure" | "cancelled" | "skipped";

export interface RunSummary {
  readonly id: string;
  /** Counts the runs of one workflow from 1. */
  readonly number: number;
  readonly attempt: number;
  readonly repository: string;
  readonly workflow: string;
  /** Path of the workflow file. */
  readonly path: string;
  /** `run-name`, or the commit's first line. */
  readonly title: string;
  readonly event: string;
  readonly ref: string;
  readonly sha: string;
  readonly actor: string;
  readonly status: RunStatus;
  readonly conclusion?: RunConclusion;
  /** Why it waits, or ended without running, where the conclusion does not say it all. */
  readonly message?: string;
  /** Nothing of it goes on: it waits for a review, or a timer, of an environment. */
  readonly held?: boolean;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
}

export interface RunDetail extends RunSummary {
  readonly jobs: readonly JobDetail[];
  /** What was wrong with the workflow file; then there are no jobs. */
  readonly problems: readonly Problem[];
}

export interface JobDetail {
  readonly id: string;
  /** The key under `jobs:`; of a job of a called workflow with the path of the calls before it. */
  readonly key: string;
  /** Of a job of a called workflow with the names of the calls before it: `caller / job`. */
  readonly name: string;
  /** The job whose call brought this one into being; it comes before this one. */
  readonly parentId?: string;
  /** Of a job that calls a workflow: which. It has no steps. */
  readonly uses?: string;
  readonly environment?: string;
  /** Where what it deployed is seen. */
  readonly environmentUrl?: string;
  /** Keys of the jobs it waits for. */
  readonly needs: readonly string[];
  readonly status: RunStatus;
  readonly conclusion?: RunConclusion;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly runner?: string;
  /** Why it ended or waits, where the conclusion does not say it all. */
  readonly message?: string;
  /** It waits for a review, or a timer, of its environment. */
  readonly held?: boolean;
  readonly steps: readonly StepDetail[];
  /** Actions of other repositories, and built-ins, as they were found for it; absent when it used none. */
  readonly actions?: readonly ActionUse[];
  readonly annotations: readonly RunAnnotation[];
  /** Markdown. */
  readonly summary: string;
}

export interface StepDetail {
  readonly number: number;
  readonly name: string;
  readonly status: RunStatus;
  readonly conclusion?: RunConclusion;
  readonly startedAt?: string;
  readonly completedAt?: string;
}

export interface RunAnnotation {
  readonly level: "notice" | "warning" | "error";
  readonly message: string;
  readonly title?: string;
  readonly path?: string;
  readonly startLine?: number;
  readonly step?: number;
}

/** One line of a job's log. Groups come as the raw `##[group]title` and `##[endgroup]` lines. */
export interface RunLogLine {
  readonly step: number;
  /** Counts from 0 within the step. */
  readonly line: number;
  readonly time: string;
  readonly text: string;
}
