/** A run seen as its workflow and the called ones that are under way, each with its own jobs, inputs and end. */
import type { Workflow } from "../parse/model.ts";
import type { GateFacts } from "./environment-gate.ts";
import type { RunContexts } from "./expand-job.ts";
import { pathInto } from "./job-path.ts";
import type { JobState } from "./job-state.ts";

export interface PlanScope {
  readonly workflow: Workflow;
  /** Of this scope alone, their keys without the path. */
  readonly jobs: readonly JobState[];
  readonly contexts: RunContexts;
  readonly cancelRequested: boolean;
  /** What full keys begin with. */
  readonly prefix: string;
  /** What names of its jobs begin with. */
  readonly above: string;
  /** The job that calls the workflow; absent for the run's own. */
  readonly caller?: JobState;
  /** Concurrency groups that are held around it. */
  readonly held: readonly string[];
  readonly gates?: GateFacts;
}

export interface ScopedRun {
  readonly workflow: Workflow;
  readonly jobs: readonly JobState[];
  readonly contexts: RunContexts;
  readonly cancelRequested: boolean;
  /** The concurrency group of the run. */
  readonly group?: string;
  /** What gates of environments are judged by; absent where there are none, as on a desk. */
  readonly gates?: GateFacts;
}

export function openScopes(run: ScopedRun): readonly PlanScope[] {
  const root: PlanScope = {
    workflow: run.workflow,
    jobs: jobsWithin(run.jobs, ""),
    contexts: run.contexts,
    cancelRequested: run.cancelRequested,
    prefix: "",
    above: "",
    held: run.group === undefined ? [] : [run.group],
    ...(run.gates === undefined ? {} : { gates: run.gates }),
  };
  const scopes = [root];
  // A list that grows while it is walked: the scopes of calls within calls come after those around them.
  for (const scope of scopes) scopes.push(...calledScopes(scope, run.jobs));
  return scopes;
}

function calledScopes(scope: PlanScope, all: readonly JobState[]): readonly PlanScope[] {
  return scope.jobs.flatMap((caller): readonly PlanScope[] => {
    const { instance } = caller;
    const workflow = scope.workflow.jobs.find((job) => job.key === caller.key)?.call?.workflow;
    if (caller.status !== "in_progress" || instance?.call === undefined || workflow === undefined) return [];
    const prefix = `${scope.prefix}${pathInto({ key: caller.key, position: instance.index })}`;
    return [
      {
        workflow,
        jobs: jobsWithin(all, prefix),
        contexts: { ...scope.contexts, inputs: instance.call.inputs },
        cancelRequested: caller.cancelRequested,
        prefix,
        above: `${instance.name} / `,
        caller,
        held: [...scope.held, ...(caller.groups ?? []).map((group) => group.name)],
        ...(scope.gates === undefined ? {} : { gates: scope.gates }),
      },
    ];
  });
}

function jobsWithin(jobs: readonly JobState[], prefix: string): readonly JobState[] {
  return jobs
    .filter((job) => job.key.startsWith(prefix) && !job.key.includes("/", prefix.length))
    .map((job) => (prefix === "" ? job : { ...job, key: job.key.slice(prefix.length) }));
}
