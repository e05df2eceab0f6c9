/**
 * The next steps of a run, as data. Pure and total: the same observation gives the same actions, and applying them and
 * planning again ends, since every action moves a job or the run forward in `job-state.ts`'s picture (a job goes back to
 * queued at most `maxTries - 1` times, joins each of its groups once, and comes to its gate once).
 */
import { errorMessage } from "#lib";
import { evaluateRecord } from "../expressions/evaluate.ts";
import type { Job, Workflow } from "../parse/model.ts";
import type { ContextObject } from "../protocol.ts";
import type { GroupRequest } from "./concurrency.ts";
import { environmentObstacle, judgeGate, type GateFacts } from "./environment-gate.ts";
import { conditionHolds, expandJob, skipReason, type RunContexts } from "./expand-job.ts";
import {
  jobsContext,
  resultOf,
  type Conclusion,
  type EnvironmentRequest,
  type JobInstance,
  type JobState,
} from "./job-state.ts";
import { pathInto } from "./job-path.ts";
import { openScopes, type PlanScope } from "./plan-scopes.ts";

export interface ObservedRun {
  readonly workflow: Workflow;
  readonly jobs: readonly JobState[];
  readonly contexts: RunContexts;
  readonly cancelRequested: boolean;
  /** The concurrency group of the run. */
  readonly group?: string;
  /** By the same clock as `leaseEndsMs` of the jobs. */
  readonly nowMs: number;
  /** What gates of environments are judged by; absent where there are none, as on a desk. */
  readonly gates?: GateFacts;
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
  /** Becomes a pending member of the group. */
  | { readonly kind: "join"; readonly jobId: string; readonly group: GroupRequest }
  /** Comes to the gate of its environment. */
  | { readonly kind: "arrive"; readonly jobId: string; readonly environment: EnvironmentRequest }
  | { readonly kind: "queue"; readonly jobId: string }
  /** The jobs of the called workflow come into being; those that are there already stay. */
  | {
      readonly kind: "enter";
      readonly jobId: string;
      readonly jobs: readonly { readonly key: string; readonly name: string }[];
    }
  | { readonly kind: "requeue"; readonly jobId: string; readonly message: string }
  | { readonly kind: "request-cancel"; readonly jobId: string }
  | {
      readonly kind: "finish-job";
      readonly jobId: string;
      readonly conclusion: Exclude<Conclusion, "success">;
      /** Why, for people; absent when the conclusion says it all. */
      readonly message?: string;
    }
  | {
      readonly kind: "finish-call";
      readonly jobId: string;
      readonly conclusion: Conclusion;
      readonly outputs: Readonly<Record<string, string>>;
    }
  | { readonly kind: "finish-run"; readonly conclusion: Conclusion };

/** Rules in order of precedence: the first that has something to do decides, then the run is observed again. */
export function planRun(run: ObservedRun): readonly RunAction[] {
  const lost = planLost(run);
  if (lost.length > 0) return lost;
  const scopes = openScopes(run);
  for (const rule of [planCancel, planFailFast, planReady, planStart, planEnd]) {
    const actions = scopes.flatMap((scope) => rule(scope));
    if (actions.length > 0) return actions;
  }
  return [];
}

function planLost(run: ObservedRun): readonly RunAction[] {
  return run.jobs
    .filter((job) => job.status === "in_progress" && job.leaseEndsMs !== undefined && job.leaseEndsMs <= run.nowMs)
    .map((job) => lostJob(run, job));
}

const silent = "The runner stopped answering while it ran this job";

/** What becomes of a job whose runner is gone, or has given it up and said why. */
export function lostJob(run: Pick<ObservedRun, "cancelRequested">, job: JobState, lost = silent): RunAction {
  if (run.cancelRequested || job.cancelRequested) {
    return {
      kind: "finish-job",
      jobId: job.id,
      conclusion: "cancelled",
      message: `${lost}, which was being cancelled`,
    };
  }
  if (job.tries < maxTries) return { kind: "requeue", jobId: job.id, message: `${lost}: it is given to another one` };
  const message = `${lost}. That was try ${job.tries} of ${maxTries}: look at the runner's log, then run the job again`;
  return { kind: "finish-job", jobId: job.id, conclusion: "failure", message };
}

function planCancel(scope: PlanScope): readonly RunAction[] {
  if (!scope.cancelRequested) return [];
  return scope.workflow.jobs.flatMap((job) => {
    const expanded = jobsOf(scope, job.key).filter((state) => state.instance !== undefined);
    if (expanded.length === 0 || survivesCancel(scope, job)) return [];
    return expanded.flatMap((state) => cancelJob(state));
  });
}

/** A job that would run in a cancelled run, e.g. by `if: always()`, is left alone. */
function survivesCancel(scope: PlanScope, job: Job): boolean {
  try {
    return conditionHolds(job, scope.workflow.jobs, scope.jobs, scope.contexts, true);
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

function planFailFast(scope: PlanScope): readonly RunAction[] {
  return scope.workflow.jobs.flatMap((job) => {
    const siblings = jobsOf(scope, job.key);
    const failed = siblings.some(
      (state) => state.conclusion === "failure" && state.instance?.failFast === true && !state.instance.continueOnError,
    );
    return failed ? siblings.flatMap((state) => cancelJob(state)) : [];
  });
}

/** Jobs whose needs have all completed are skipped, fail, or become their instances. */
function planReady(scope: PlanScope): readonly RunAction[] {
  return scope.workflow.jobs.flatMap((job): readonly RunAction[] => {
    const [state, ...others] = jobsOf(scope, job.key);
    if (state === undefined || others.length > 0) return [];
    if (state.status !== "waiting" || state.instance !== undefined) return [];
    if (job.needs.some((key) => resultOf(jobsOf(scope, key)) === undefined)) return [];
    return [decideReady(scope, job, state)];
  });
}

function decideReady(scope: PlanScope, job: Job, state: JobState): RunAction {
  const { id: jobId } = state;
  const { workflow, jobs, contexts, cancelRequested } = scope;
  try {
    if (!conditionHolds(job, workflow.jobs, jobs, contexts, cancelRequested)) {
      if (cancelRequested) return { kind: "finish-job", jobId, conclusion: "cancelled" };
      return { kind: "finish-job", jobId, conclusion: "skipped", message: skipReason(job, workflow.jobs, jobs) };
    }
    const instances = expandJob(job, jobs, contexts, scope.above);
    return { kind: "expand", jobId, key: `${scope.prefix}${job.key}`, instances };
  } catch (error) {
    return { kind: "finish-job", jobId, conclusion: "failure", message: errorMessage(error) };
  }
}

/** Within `max-parallel`, in the order of the matrix; a job that waits for its group or at its gate counts as begun. */
function planStart(scope: PlanScope): readonly RunAction[] {
  return scope.workflow.jobs.flatMap((job) => {
    const states = jobsOf(scope, job.key).filter((state) => state.instance !== undefined);
    const limit = states[0]?.instance?.maxParallel ?? 0;
    const begun = (state: JobState): boolean =>
      state.status === "queued" ||
      state.status === "in_progress" ||
      state.gate !== undefined ||
      (state.groups ?? []).length > 0;
    const active = states.filter((state) => begun(state) && state.status !== "completed").length;
    const waiting = states
      .filter((state) => state.status === "waiting")
      .toSorted((a, b) => (a.instance?.index ?? 0) - (b.instance?.index ?? 0));
    const fresh = waiting.filter((state) => !begun(state));
    const free = limit === 0 ? fresh.length : Math.max(0, limit - active);
    return [...waiting.filter(begun), ...fresh.slice(0, free)].flatMap((state) => startJob(scope, job, state));
  });
}

/** What a job that may begin does next; nothing while it waits for a group or at its gate. */
function startJob(scope: PlanScope, job: Job, state: JobState): readonly RunAction[] {
  const { id: jobId, instance, groups = [] } = state;
  if (instance?.skip !== undefined) {
    return [{ kind: "finish-job", jobId, conclusion: "skipped", message: instance.skip }];
  }
  for (const group of instance?.concurrency ?? []) {
    const member = groups.find((joined) => joined.name === group.name);
    if (member?.state === "active") continue;
    if (member !== undefined) return [];
    if (!scope.held.includes(group.name)) return [{ kind: "join", jobId, group }];
    const found = `the run, or a job that calls this one, holds concurrency group "${group.name}" as well`;
    const message = `The job would wait for ever: ${found}. Give one of the two another name`;
    return [{ kind: "finish-job", jobId, conclusion: "failure", message }];
  }
  if (instance?.call === undefined) return passGate(scope, state);
  const path = `${scope.prefix}${pathInto({ key: state.key, position: instance.index })}`;
  const jobs = (job.call?.workflow?.jobs ?? []).map(({ key, name = key }) => ({
    key: `${path}${key}`,
    // A name that is a template has no value yet; the key stands in for it.
    name: `${instance.name} / ${name.includes("${{") ? key : name}`,
  }));
  return [{ kind: "enter", jobId, jobs }];
}

/** Queued once the environment lets it. */
function passGate({ gates }: PlanScope, { id: jobId, instance, gate }: JobState): readonly RunAction[] {
  const environment = instance?.environment;
  if (gates === undefined || environment === undefined) return [{ kind: "queue", jobId }];
  if (gate === undefined) {
    const message = environmentObstacle(environment.name, gates.rules);
    if (message === undefined) return [{ kind: "arrive", jobId, environment }];
    return [{ kind: "finish-job", jobId, conclusion: "failure", message }];
  }
  const passage = judgeGate(gate, gates);
  if (passage.kind === "wait") return [];
  if (passage.kind === "pass") return [{ kind: "queue", jobId }];
  return [{ kind: "finish-job", jobId, conclusion: "failure", message: passage.message }];
}

function planEnd(scope: PlanScope): readonly RunAction[] {
  if (scope.jobs.some((job) => job.status !== "completed")) return [];
  const conclusion = concludeScope(scope);
  if (scope.caller === undefined) return [{ kind: "finish-run", conclusion }];
  const { id: jobId } = scope.caller;
  try {
    return [{ kind: "finish-call", jobId, conclusion, outputs: callOutputs(scope) }];
  } catch (error) {
    return [{ kind: "finish-job", jobId, conclusion: "failure", message: errorMessage(error) }];
  }
}

function callOutputs(scope: PlanScope): Readonly<Record<string, string>> {
  const keys = scope.workflow.jobs.map((job) => job.key);
  const jobs: ContextObject = jobsContext(keys, scope.jobs);
  const filled = evaluateRecord(scope.workflow.on.workflowCall?.outputs ?? {}, { ...scope.contexts, jobs });
  return Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== ""));
}

function concludeScope(scope: PlanScope): Conclusion {
  const results = scope.workflow.jobs.map((job) => resultOf(jobsOf(scope, job.key)));
  if (scope.cancelRequested && scope.jobs.some((job) => job.conclusion === "cancelled")) return "cancelled";
  if (results.includes("failure")) return "failure";
  if (results.includes("cancelled")) return "cancelled";
  return results.every((result) => result === "skipped") ? "skipped" : "success";
}

function jobsOf(scope: PlanScope, key: string): readonly JobState[] {
  return scope.jobs.filter((job) => job.key === key);
}
