/** Where a job stands: its definition, the calls that lead to it, and what its expressions see. */
import type { Contexts } from "../expressions/evaluate.ts";
import type { Job, Workflow, WorkflowOrigin } from "../parse/model.ts";
import { strategyContext, type RunContexts } from "../plan/expand-job.ts";
import { callsTo, ownKey, prefixOf } from "../plan/job-path.ts";
import { needsContext, type JobInstance } from "../plan/job-state.ts";
import type { CallLevel } from "../plan/permissions.ts";
import type { ContextObject } from "../protocol.ts";
import type { ServicesPort } from "../ports.ts";
import { findRelatives, jobState, runContexts, workflowOf, type PlannedJob } from "./run-store.ts";
import type { RunRow, WorkflowsDatabase } from "./schema.ts";

/** A job that calls a workflow, with what the templates of the call may read. */
export interface CallerPlace extends CallLevel {
  readonly job: Job;
  readonly contexts: JobPlaceContexts;
}

type JobPlaceContexts = RunContexts & {
  readonly needs: ContextObject;
  readonly matrix: ContextObject;
  readonly strategy: ContextObject;
};

export interface JobPlace {
  readonly workflow: Workflow;
  readonly job: Job;
  readonly instance: JobInstance;
  readonly contexts: JobPlaceContexts & Contexts;
  readonly origin: WorkflowOrigin;
  /** The calls that lead here, outermost first. */
  readonly callers: readonly CallerPlace[];
  /** The callers and the job itself. */
  readonly levels: readonly CallLevel[];
}

/** Undefined when the row is not of this run's workflow. */
export async function findPlace(
  db: WorkflowsDatabase,
  run: RunRow,
  row: PlannedJob,
  urls: ServicesPort["base"],
): Promise<JobPlace | undefined> {
  const workflow = workflowOf(run);
  return jobPlace(workflow, run, row, await findRelatives(db, run, workflow, row.key), runContexts(run, urls));
}

function jobPlace(
  root: Workflow | undefined,
  run: RunRow,
  row: PlannedJob,
  relatives: readonly PlannedJob[],
  contexts: RunContexts,
): JobPlace | undefined {
  let workflow = root;
  let origin: WorkflowOrigin = { repository: run.repository, ref: run.ref, sha: run.sha };
  let inputs = contexts.inputs;
  const callers: CallerPlace[] = [];
  for (const step of callsTo(row.key)) {
    const callerRow = relatives.find((one) => one.key === step.key && one.position === step.position);
    const caller = definitionOf(workflow, callerRow);
    if (workflow === undefined || caller?.job.call?.workflow === undefined || callerRow === undefined) return undefined;
    const seen = { ...contexts, inputs, ...instanceContexts(caller.job, caller.instance, callerRow, relatives) };
    callers.push({ workflow, job: caller.job, contexts: seen });
    workflow = caller.job.call.workflow;
    origin = workflow.origin ?? origin;
    inputs = caller.instance.call?.inputs ?? {};
  }
  const found = definitionOf(workflow, row);
  if (workflow === undefined || found === undefined) return undefined;
  const { job, instance } = found;
  return {
    workflow,
    job,
    instance,
    contexts: { ...contexts, inputs, ...instanceContexts(job, instance, row, relatives) },
    origin,
    callers,
    levels: [...callers, { workflow, job }],
  };
}

function definitionOf(
  workflow: Workflow | undefined,
  row: PlannedJob | undefined,
): { readonly job: Job; readonly instance: JobInstance } | undefined {
  const job = workflow?.jobs.find((one) => row !== undefined && one.key === ownKey(row.key));
  const instance = row?.instance_json ?? null;
  return job === undefined || instance === null ? undefined : { job, instance: JSON.parse(instance) as JobInstance };
}

function instanceContexts(
  job: Job,
  instance: JobInstance,
  row: PlannedJob,
  relatives: readonly PlannedJob[],
): { readonly needs: ContextObject; readonly matrix: ContextObject; readonly strategy: ContextObject } {
  const prefix = prefixOf(row.key);
  const states = relatives
    .filter((one) => prefixOf(one.key) === prefix && job.needs.includes(ownKey(one.key)))
    .map((one) => ({ ...jobState(one, undefined), key: ownKey(one.key) }));
  return { needs: needsContext(job, states), matrix: instance.matrix, strategy: strategyContext(instance) };
}
