/**
 * The next steps of a run, as data. Pure and total: the same observation gives the same actions, and applying them and
 * planning again ends, since every action moves a job or the run forward in `job-state.ts`'s picture (a job goes back to
 * queued at most `maxTries - 1` times).
 */
import { errorMessage } from "#lib";
import type { Job, Workflow } from "../parse/model.ts";
import { conditionHolds, expandJob, type RunContexts } from "./expand-job.ts";
import { resultOf, type Conclusion, type JobInstance, type JobState } from "./job-state.ts";

export interface ObservedRun {
  readonly workflow: Workflow;
  readonly jobs: readonly JobState[];
  readonly contexts: RunContexts;
  readonly cancelRequested: boolean;
  /** By the same clock as `leaseEndsMs` of the jobs. */
  readonly nowMs: number;
}

/** A job whose runner was lost is given to another one once. */
const maxTries = 2;

export type RunAction =
  /** The job that stood for its key becomes the first instance; the others are new. */
  | {
      readonly kind: "expand";
      readonly jobId: string;
      readonly key: string;
      readonly instances: readonly JobInstance[];
    }
  | { readonly kind: "queue"; readonly jobId: string }
  | { readonly kind: "requeue"; readonly jobId: string; readonly message: string }
  | { readonly kind: "request-cancel"; readonly jobId: string }
  | {
      readonly kind: "finish-job";
      readonly jobId: string;
      readonly conclusion: Exclude<Conclusion, "success">;
      /** Why, for people; absent when the conclusion says it all. */
      readonly message?: string;
    }
  | { readonly kind: "finish-run"; readonly conclusion: Conclusion };

/** Rules in order of precedence: the first that has something to do decides, then the run is observed again. */
export function planRun(run: ObservedRun): readonly RunAction[] {
  for (const rule of [planLost, planCancel, planFailFast, planReady, planQueue, planEnd]) {
    const actions = rule(run);
    if (actions.length > 0) return actions;
  }
  return [];
}

function planLost(run: ObservedRun): readonly RunAction[] {
  return run.jobs
    .filter((job) => job.status === "in_progress" && job.leaseEndsMs !== undefined && job.leaseEndsMs <= run.nowMs)
    .map((job) => lostJob(run, job));
}

/** What becomes of a job whose runner is gone. */
export function lostJob(run: Pick<ObservedRun, "cancelRequested">, job: JobState): RunAction {
  const lost = "The runner stopped answering while it ran this job";
  if (run.cancelRequested || job.cancelRequested) {
    return {
      kind: "finish-job",
      jobId: job.id,
      conclusion: "cancelled",
      message: `${lost}, which was being cancelled`,
    };
  }
  if (job.tries < maxTries) return { kind: "requeue", jobId: job.id, message: `${lost}: it is given to another one` };
  const message = `${lost}, for the ${job.tries}. time. Look at the runner's log, then run the job again`;
  return { kind: "finish-job", jobId: job.id, conclusion: "failure", message };
}

function planCancel(run: ObservedRun): readonly RunAction[] {
  if (!run.cancelRequested) return [];
  return run.workflow.jobs.flatMap((job) => {
    const expanded = jobsOf(run, job.key).filter((state) => state.instance !== undefined);
    if (expanded.length === 0 || survivesCancel(run, job)) return [];
    return expanded.flatMap((state) => cancelJob(state));
  });
}

/** A job that would run in a cancelled run, e.g. by `if: always()`, is left alone. */
function survivesCancel(run: ObservedRun, job: Job): boolean {
  try {
    return conditionHolds(job, run.workflow.jobs, run.jobs, run.contexts, true);
  } catch {
    // It held once, so the failure is new: stopping is what was asked for.
    return false;
  }
}

function cancelJob(job: JobState): readonly RunAction[] {
  if (job.status === "completed" || job.cancelRequested) return [];
  if (job.status === "in_progress") return [{ kind: "request-cancel", jobId: job.id }];
  return [{ kind: "finish-job", jobId: job.id, conclusion: "cancelled" }];
}

function planFailFast(run: ObservedRun): readonly RunAction[] {
  return run.workflow.jobs.flatMap((job) => {
    const siblings = jobsOf(run, job.key);
    const failed = siblings.some(
      (state) => state.conclusion === "failure" && state.instance?.failFast === true && !state.instance.continueOnError,
    );
    return failed ? siblings.flatMap((state) => cancelJob(state)) : [];
  });
}

/** Jobs whose needs have all completed are skipped, fail, or become their instances. */
function planReady(run: ObservedRun): readonly RunAction[] {
  return run.workflow.jobs.flatMap((job): readonly RunAction[] => {
    const [state, ...others] = jobsOf(run, job.key);
    if (state === undefined || others.length > 0) return [];
    if (state.status !== "waiting" || state.instance !== undefined) return [];
    if (job.needs.some((key) => resultOf(jobsOf(run, key)) === undefined)) return [];
    return [decideReady(run, job, state)];
  });
}

function decideReady(run: ObservedRun, job: Job, state: JobState): RunAction {
  const { id: jobId } = state;
  try {
    if (!conditionHolds(job, run.workflow.jobs, run.jobs, run.contexts, run.cancelRequested)) {
      return { kind: "finish-job", jobId, conclusion: run.cancelRequested ? "cancelled" : "skipped" };
    }
    return { kind: "expand", jobId, key: job.key, instances: expandJob(job, run.jobs, run.contexts) };
  } catch (error) {
    return { kind: "finish-job", jobId, conclusion: "failure", message: errorMessage(error) };
  }
}

/** Within `max-parallel`, in the order of the matrix. */
function planQueue(run: ObservedRun): readonly RunAction[] {
  return run.workflow.jobs.flatMap((job) => {
    const states = jobsOf(run, job.key).filter((state) => state.instance !== undefined);
    const limit = states[0]?.instance?.maxParallel ?? 0;
    const active = states.filter((state) => state.status === "queued" || state.status === "in_progress").length;
    const waiting = states
      .filter((state) => state.status === "waiting")
      .toSorted((a, b) => (a.instance?.index ?? 0) - (b.instance?.index ?? 0));
    const free = limit === 0 ? waiting.length : Math.max(0, limit - active);
    return waiting.slice(0, free).map((state): RunAction => ({ kind: "queue", jobId: state.id }));
  });
}

function planEnd(run: ObservedRun): readonly RunAction[] {
  if (run.jobs.some((job) => job.status !== "completed")) return [];
  return [{ kind: "finish-run", conclusion: concludeRun(run) }];
}

function concludeRun(run: ObservedRun): Conclusion {
  const results = run.workflow.jobs.map((job) => resultOf(jobsOf(run, job.key)));
  if (run.cancelRequested && run.jobs.some((job) => job.conclusion === "cancelled")) return "cancelled";
  if (results.includes("failure")) return "failure";
  if (results.includes("cancelled")) return "cancelled";
  return results.every((result) => result === "skipped") ? "skipped" : "success";
}

function jobsOf(run: ObservedRun, key: string): readonly JobState[] {
  return run.jobs.filter((job) => job.key === key);
}
