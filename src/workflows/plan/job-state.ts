/**
 * What the planner sees of a run's jobs.
 *
 * A key under `jobs:` starts as one job that is not expanded. When all it needs has completed it is skipped, fails, or
 * is expanded into one job per combination of its matrix. From then on each goes its own way:
 *
 *   waiting ─→ queued ─→ in_progress ─→ completed
 *      │         │ ↖───────────┘ (its runner was lost; once)      each may also go straight to completed
 *
 * A job that calls a workflow has no runner: it goes from waiting to in progress when the jobs of the called workflow
 * come into being, and completes with them. A waiting job with a concurrency group has to become an active member first;
 * one with an environment then has to pass its gate, see `environment-gate.ts`.
 *
 * Invariants: `conclusion` is there exactly when the status is completed. Only an expanded job is queued or in
 * progress. Completed is final.
 */
import type { ContextObject } from "../protocol.ts";
import type { Job } from "../parse/model.ts";
import type { GroupRequest } from "./concurrency.ts";
import type { Gate } from "./environment-gate.ts";

export type Conclusion = "success" | "failure" | "cancelled" | "skipped";
export type JobStatus = "waiting" | "queued" | "in_progress" | "completed";

export interface JobState {
  readonly id: string;
  /** Of a job of a called workflow with the path to it, see `job-path.ts`. */
  readonly key: string;
  readonly status: JobStatus;
  readonly conclusion?: Conclusion;
  readonly outputs: Readonly<Record<string, string>>;
  /** Present once expanded. */
  readonly instance?: JobInstance;
  readonly cancelRequested: boolean;
  /** How often it was given to a runner. */
  readonly tries: number;
  /** While in progress: when its runner counts as lost. */
  readonly leaseEndsMs?: number;
  /** Concurrency groups it has joined. */
  readonly groups?: readonly { readonly name: string; readonly state: "pending" | "active" }[];
  /** Once it has come to the gate of its environment. */
  readonly gate?: Gate;
}

/** The environment a job names. */
export interface EnvironmentRequest {
  readonly name: string;
  /** Whether a deployment is recorded. */
  readonly deployment: boolean;
}

/** One combination of a job, all of it evaluated. */
export interface JobInstance {
  readonly name: string;
  /** Place among its siblings, from 0. */
  readonly index: number;
  readonly total: number;
  readonly matrix: ContextObject;
  readonly failFast: boolean;
  /** 0 for no limit. */
  readonly maxParallel: number;
  readonly labels: readonly string[];
  readonly continueOnError: boolean;
  readonly timeoutMinutes: number;
  readonly cancelTimeoutMinutes?: number;
  /** Only runners of this group. */
  readonly runnerGroup?: string;
  /** To be joined one after the other before it may begin; absent: none. */
  readonly concurrency?: readonly GroupRequest[];
  /** Of a job that calls a workflow: its evaluated inputs. */
  readonly call?: { readonly inputs: ContextObject };
  /** Absent: it deploys nowhere. */
  readonly environment?: EnvironmentRequest;
  /** Why it is skipped as soon as it could start. */
  readonly skip?: string;
}

/** What needing jobs see of all jobs of a key together; undefined while one is not completed. */
export function resultOf(jobs: readonly JobState[]): Conclusion | undefined {
  if (jobs.length === 0 || jobs.some((job) => job.status !== "completed")) return undefined;
  const results = jobs.map((job) =>
    // A failure that is allowed counts as success for everybody else.
    job.conclusion === "failure" && job.instance?.continueOnError === true ? "success" : job.conclusion,
  );
  if (results.includes("failure")) return "failure";
  if (results.includes("cancelled")) return "cancelled";
  return results.every((result) => result === "skipped") ? "skipped" : "success";
}

/** Outputs of all jobs of a key: of two that set the same, the later combination counts, unless it is empty. */
function outputsOf(jobs: readonly JobState[]): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {};
  for (const job of jobs.toSorted((a, b) => (a.instance?.index ?? 0) - (b.instance?.index ?? 0))) {
    for (const [name, value] of Object.entries(job.outputs)) {
      if (value !== "" || outputs[name] === undefined) outputs[name] = value;
    }
  }
  return outputs;
}

/** The `needs` context of a job. */
export function needsContext(job: Job, jobs: readonly JobState[]): ContextObject {
  return jobsContext(job.needs, jobs);
}

/** Results and outputs by key: `jobs` of a called workflow's outputs. */
export function jobsContext(keys: readonly string[], jobs: readonly JobState[]): ContextObject {
  return Object.fromEntries(
    keys.map((key) => {
      const needed = jobs.filter((other) => other.key === key);
      return [key, { result: resultOf(needed) ?? "", outputs: outputsOf(needed) }];
    }),
  );
}

/** Keys of all jobs that must complete before this one, however indirectly. */
export function ancestorsOf(job: Job, all: readonly Job[]): readonly string[] {
  const found = new Set<string>();
  const open = [...job.needs];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (found.has(key)) continue;
    found.add(key);
    open.push(...(all.find((other) => other.key === key)?.needs ?? []));
  }
  return [...found];
}
