/**
 * A workflow as somebody runs it from a working tree: some of its jobs, some combinations of a matrix, with more in its
 * environment. Pure.
 */
import type { Job, LeftOut, TextRecord, Workflow } from "../parse/model.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";

export interface Narrowing extends LeftOut {
  /** Keys of the jobs to run, each with all it needs; absent: all. */
  readonly jobs?: readonly string[];
  /** Below the environment of workflow and job. */
  readonly env: Readonly<Record<string, string>>;
}

export function narrowWorkflow(workflow: Workflow, narrowing: Narrowing): Workflow {
  const { env, matrixBut, labels } = narrowing;
  const plain: TextRecord = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, literal(value)]));
  const { jobs } = wantedJobs(workflow, narrowing);
  return leaveOut({ ...workflow, env: { ...plain, ...workflow.env }, jobs }, { matrixBut, labels }, plain);
}

/** Before calls are linked: those of other jobs may lead to what is not here. */
export function wantedJobs(workflow: Workflow, { jobs: asked }: Pick<Narrowing, "jobs">): Workflow {
  return asked === undefined ? workflow : { ...workflow, jobs: withNeeds(workflow.jobs, asked) };
}

/** Called workflows too: they have an environment of their own. */
function leaveOut(workflow: Workflow, leftOut: LeftOut, env: TextRecord): Workflow {
  const jobs = workflow.jobs.map((job): Job => {
    const called = job.call?.workflow;
    if (job.call === undefined || called === undefined) return { ...job, leftOut };
    const inner = leaveOut({ ...called, env: { ...env, ...called.env } }, leftOut, env);
    return { ...job, leftOut, call: { ...job.call, workflow: inner } };
  });
  return { ...workflow, jobs };
}

function withNeeds(jobs: readonly Job[], asked: readonly string[]): readonly Job[] {
  const wanted = new Set<string>();
  const open = [...asked];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (wanted.has(key)) continue;
    wanted.add(key);
    open.push(...(jobs.find((job) => job.key === key)?.needs ?? []));
  }
  return jobs.filter((job) => wanted.has(job.key));
}

/** Text that a template makes into itself. */
function literal(value: string): string {
  return value.replaceAll("${{", "${{ '${{' }}");
}

/** A key that a combination does not have is no reason to leave it out. */
export function isWanted({ matrixBut }: LeftOut, values: ContextObject): boolean {
  return Object.entries(values).every(([key, value]) => {
    const only = Object.entries(matrixBut).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
    return only === undefined || only.includes(asText(value));
  });
}

function asText(value: ContextValue): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** Why a job that asks for these labels is skipped; undefined when it is not. */
export function skipForLabels(leftOut: LeftOut | undefined, labels: readonly string[]): string | undefined {
  const foreign = labels.find((label) => leftOut?.labels.some((start) => label.toLowerCase().startsWith(start)));
  return foreign === undefined ? undefined : `Asks for "${foreign}", which this machine is not`;
}
