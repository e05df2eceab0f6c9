/** A claimed job as its runner gets it: every template that does not need steps evaluated, secrets and token added. */
import { ExpressionFailure, WorkflowsError } from "../errors.ts";
import { evaluateTemplate, type Contexts } from "../expressions/evaluate.ts";
import type { Job, RunDefaults, Workflow } from "../parse/model.ts";
import { strategyContext } from "../plan/expand-job.ts";
import { mayReadSecrets, type SecretsQuestion } from "../plan/secrets-policy.ts";
import { jobState, runContexts, workflowOf } from "./run-store.ts";
import { needsContext, type JobInstance } from "../plan/job-state.ts";
import type { ContextObject, JobAssignment, JobContexts } from "../protocol.ts";
import type { JobTokenRequest } from "../ports.ts";
import type { JobTokens } from "./job-tokens.ts";
import type { RunParts } from "./parts.ts";
import type { JobRow, RunRow } from "./schema.ts";

/** The job's part of the workflow; throws when the row is not a job of it. */
function definitionOf(run: RunRow, row: JobRow): { workflow: Workflow; job: Job; instance: JobInstance } {
  const workflow = workflowOf(run);
  const job = workflow?.jobs.find((other) => other.key === row.key);
  if (workflow === undefined || job === undefined || row.instance_json === null) {
    throw new WorkflowsError("workflows/not-found", `Job ${row.id} of run ${run.id} has no definition`);
  }
  return { workflow, job, instance: JSON.parse(row.instance_json) as JobInstance };
}

/** Throws `ExpressionFailure` when a template of the job cannot be evaluated: the job then fails. */
export async function buildAssignment(
  parts: RunParts,
  tokens: JobTokens,
  run: RunRow,
  row: JobRow,
  siblings: readonly JobRow[],
  signal: AbortSignal,
): Promise<JobAssignment> {
  const { workflow, job, instance } = definitionOf(run, row);
  const request = tokenRequest(run, row, workflow, job);
  const states = siblings.map((sibling) => jobState(sibling, undefined));
  const base = {
    ...runContexts(run, parts.services.base),
    needs: needsContext(job, states),
    matrix: instance.matrix,
    strategy: strategyContext(instance),
  };
  const environment = job.environment === undefined ? "" : evaluateTemplate(job.environment.name, base);
  const asked = { repository: run.repository, ref: run.ref, eventName: run.event_name };
  const scope = environment === "" ? asked : { ...asked, environment };
  const vars = await parts.variables.variables(scope, { signal });
  const stored = mayReadSecrets(eventOf(run)) ? await parts.variables.secrets(scope, { signal }) : {};
  const token = await tokens.mint(request, signal);
  const services = await parts.services.forJob(request, { signal });
  const secrets = { ...stored, GITHUB_TOKEN: token };
  const contexts = { ...base, github: { ...base.github, job: job.key, token }, vars };
  const env = evaluateEnv(workflow, job, { ...contexts, secrets });
  return {
    jobId: String(row.id),
    runId: String(run.id),
    runAttempt: run.attempt,
    name: row.name,
    key: row.key,
    repository: run.repository,
    ref: run.ref,
    sha: run.sha,
    lease: row.lease ?? "",
    leaseMs: parts.leaseMs,
    contexts: { ...contexts, env } satisfies JobContexts,
    secrets,
    steps: job.steps,
    defaults: evaluateDefaults({ ...workflow.defaults, ...job.defaults }, { ...contexts, env }),
    outputs: job.outputs,
    timeoutMinutes: instance.timeoutMinutes,
    services,
  };
}

function eventOf(run: RunRow): SecretsQuestion {
  const payload = JSON.parse(run.payload_json) as ContextObject;
  return { eventName: run.event_name, repository: run.repository, payload };
}

function tokenRequest(run: RunRow, row: JobRow, workflow: Workflow, job: Job): JobTokenRequest {
  const permissions = job.permissions ?? workflow.permissions;
  return {
    jobId: String(row.id),
    runId: String(run.id),
    repository: run.repository,
    actor: run.triggering_actor,
    ...(permissions === undefined ? {} : { permissions }),
  };
}

/** The job's values may not read those of the workflow: `env` is no context here. */
function evaluateEnv(workflow: Workflow, job: Job, contexts: Contexts): Readonly<Record<string, string>> {
  const entries = [...Object.entries(workflow.env), ...Object.entries(job.env)];
  return Object.fromEntries(entries.map(([name, value]) => [name, evaluateVariable(name, value, contexts)]));
}

function evaluateVariable(name: string, template: string, contexts: Contexts): string {
  try {
    return evaluateTemplate(template, contexts);
  } catch (error) {
    if (!(error instanceof ExpressionFailure) || !/secrets/i.test(template)) throw error;
    // What the evaluator says may quote a part of a secret, and nothing here masks it: neither kept nor passed on.
    throw new ExpressionFailure(`Cannot evaluate "env.${name}" from "${template}": one of its values does not fit`);
  }
}

function evaluateDefaults(defaults: RunDefaults, contexts: Contexts): RunDefaults {
  return Object.fromEntries(
    Object.entries(defaults).map(([key, value]: [string, string]) => [key, evaluateTemplate(value, contexts)]),
  );
}
