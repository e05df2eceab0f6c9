/**
 * Jobs of called workflows carry the way to them in their key: `deploy:0/build` is the job `build` of the workflow that
 * the first instance of `deploy` calls. Ids of jobs have neither colons nor slashes.
 */
import type { Job, Workflow } from "../parse/model.ts";
import type { JobState } from "./job-state.ts";

/** What the keys of the jobs begin with that the job's call brings into being. */
export function pathInto(caller: Pick<JobState, "key"> & { readonly position: number }): string {
  return `${caller.key}:${caller.position}/`;
}

/** The key under `jobs:`. */
export function ownKey(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** What stands before the own key; empty for jobs of the run's own workflow. */
export function prefixOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

export interface CallStep {
  /** Full key of the calling job. */
  readonly key: string;
  readonly position: number;
}

/** The calls that lead to the job, outermost first. */
export function callsTo(key: string): readonly CallStep[] {
  const steps: CallStep[] = [];
  for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) {
    const colon = key.lastIndexOf(":", at);
    steps.push({ key: key.slice(0, colon), position: Number(key.slice(colon + 1, at)) });
  }
  return steps;
}

/** Full keys of the calls that lead to the job, and of what these and the job itself need. */
export function relativesOf(workflow: Workflow | undefined, key: string): readonly string[] {
  const callers = callsTo(key).map((step) => step.key);
  const needs = [...callers, key].flatMap((one) =>
    (jobDefinition(workflow, one)?.needs ?? []).map((needed) => `${prefixOf(one)}${needed}`),
  );
  return [...new Set([...callers, ...needs])];
}

/** The definition a key leads to. */
export function jobDefinition(workflow: Workflow | undefined, key: string): Job | undefined {
  return scopeOf(workflow, key)?.jobs.find((one) => one.key === ownKey(key));
}

function scopeOf(workflow: Workflow | undefined, key: string): Workflow | undefined {
  return callsTo(key).reduce<Workflow | undefined>(
    (scope, step) => scope?.jobs.find((one) => one.key === ownKey(step.key))?.call?.workflow,
    workflow,
  );
}

/** Sorts jobs as their files have them, called ones behind their callers. */
export function filePlace(workflow: Workflow | undefined, key: string, position: number): readonly number[] {
  const place: number[] = [];
  for (const step of [...callsTo(key), { key, position }]) {
    const jobs = scopeOf(workflow, step.key)?.jobs ?? [];
    place.push(
      jobs.findIndex((one) => one.key === ownKey(step.key)),
      step.position,
    );
  }
  return place;
}

export function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
