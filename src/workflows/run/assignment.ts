/** A claimed job as its runner gets it: every template that does not need steps evaluated, secrets and token added. */
import { findEnvironment, settingsOf } from "../environments/environment-rows.ts";
import { isProtected } from "../environments/settings.ts";
import { ExpressionFailure, WorkflowsError } from "../errors.ts";
import { evaluateRecord, evaluateTemplate, type Contexts } from "../expressions/evaluate.ts";
import type { RunDefaults } from "../parse/model.ts";
import type { EnvironmentRequest } from "../plan/job-state.ts";
import { requestEnvironment } from "../plan/request-environment.ts";
import { jobPermissions } from "../plan/permissions.ts";
import { trustOf, type Trust } from "../plan/secrets-policy.ts";
import type { JobTokenRequest, RepositoryFacts, ServicesRequest } from "../ports.ts";
import type { ContextObject, JobAssignment, JobContexts } from "../protocol.ts";
import { evaluateContainers } from "./containers.ts";
import { findPlace, type JobPlace } from "./job-place.ts";
import { jobSecrets, tokenSecrets, withoutSecrets } from "./job-secrets.ts";
import type { JobTokens } from "./job-tokens.ts";
import type { RunParts } from "./parts.ts";
import type { JobRow, RunRow } from "./schema.ts";

/** Throws `ExpressionFailure` when a template of the job cannot be evaluated: the job then fails. */
export async function buildAssignment(
  parts: RunParts,
  tokens: JobTokens,
  run: RunRow,
  row: JobRow,
  signal: AbortSignal,
): Promise<JobAssignment> {
  const place = await findPlace(parts.db, run, row, parts.services.base);
  if (place === undefined) {
    throw new WorkflowsError("workflows/not-found", `Job ${row.id} of run ${run.id} has no definition`);
  }
  const { job, instance, contexts: base } = place;
  const trust = trustOfRun(run);
  const request = tokenRequest(run, row, place, trust);
  const deploys = await environmentOf(parts, run, row, place);
  const environment = deploys?.name ?? "";
  const asked = { repository: run.repository, ref: run.ref, eventName: run.event_name };
  const vars = await parts.variables.variables(environment === "" ? asked : { ...asked, environment }, { signal });
  const token = await tokens.mint(request, signal);
  const servicesRequest = { ...request, ...servicesFacts(run, place, environment), readOnly: trust.readOnly };
  const services = await parts.services.forJob(servicesRequest, { signal });
  const stored = trust.secrets ? await jobSecrets(parts.variables, asked, environment, place, token, signal) : {};
  const secrets = { ...stored, ...tokenSecrets(place.workflow.path, token) };
  const contexts = { ...base, github: { ...base.github, job: job.key, token }, vars };
  const env = evaluateEnv(place, { ...contexts, secrets });
  const { cancelTimeoutMinutes } = instance;
  const url = job.environment?.url;
  return {
    jobId: String(row.id),
    runId: String(run.id),
    runAttempt: run.attempt,
    name: row.name,
    key: job.key,
    repository: run.repository,
    ref: run.ref,
    sha: run.sha,
    lease: row.lease ?? "",
    leaseMs: parts.leaseMs,
    contexts: { ...contexts, env } satisfies JobContexts,
    secrets,
    steps: job.steps,
    defaults: evaluateDefaults({ ...place.workflow.defaults, ...job.defaults }, { ...contexts, env }),
    outputs: job.outputs,
    timeoutMinutes: instance.timeoutMinutes,
    ...(cancelTimeoutMinutes === undefined ? {} : { cancelTimeoutMinutes }),
    ...evaluateContainers(job, { ...contexts, secrets, env }),
    ...(deploys === undefined ? {} : { environment: { ...deploys, ...(url === undefined ? {} : { url }) } }),
    permissions: request.permissions,
    workflow: { path: place.workflow.path, ...place.origin },
    services,
  };
}

function trustOfRun(run: RunRow): Trust {
  const payload = JSON.parse(run.payload_json) as ContextObject;
  return trustOf({ eventName: run.event_name, repository: run.repository, payload });
}

function tokenRequest(run: RunRow, row: JobRow, place: JobPlace, trust: Trust): JobTokenRequest {
  return {
    jobId: String(row.id),
    runId: String(run.id),
    repository: run.repository,
    actor: run.triggering_actor,
    permissions: jobPermissions(place.levels, trust.readOnly),
  };
}

type ServicesFacts = Omit<ServicesRequest, keyof JobTokenRequest | "readOnly">;

function servicesFacts(run: RunRow, place: JobPlace, environment: string): ServicesFacts {
  const { workflow, origin, contexts } = place;
  const { defaultBranch } = JSON.parse(run.repository_json) as RepositoryFacts;
  return {
    attempt: run.attempt,
    github: contexts.github ?? {},
    ...(environment === "" ? {} : { environment }),
    jobWorkflowRef: `${origin.repository}/${workflow.path}@${origin.ref}`,
    jobWorkflowSha: origin.sha,
    defaultBranch,
  };
}

/**
 * Where the job deploys to. What it gets of the environment it gets only here, after the gate; a job of a run from before
 * there were gates has not come by one, and fails if there is something to pass now.
 */
async function environmentOf(
  parts: RunParts,
  run: RunRow,
  row: JobRow,
  { job, instance, contexts }: JobPlace,
): Promise<EnvironmentRequest | undefined> {
  if (instance.environment !== undefined) return instance.environment;
  const wanted = requestEnvironment(job.environment, contexts);
  if (wanted === undefined) return undefined;
  const found = await findEnvironment(parts.db, run.repository, wanted.name);
  if (found === undefined || !isProtected(settingsOf(found))) return wanted;
  const message = `Environment "${found.name}" has rules that job "${row.name}" of this old run was not held against. Start a new run`;
  throw new ExpressionFailure(message);
}

/** The job's values may not read those of the workflow: `env` is no context here. */
function evaluateEnv(place: JobPlace, contexts: Contexts): Readonly<Record<string, string>> {
  const evaluate = (record: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(record).flatMap(([name, value]) =>
        Object.entries(withoutSecrets(`env.${name}`, value, () => evaluateRecord({ [name]: value }, contexts))),
      ),
    );
  return { ...evaluate(place.workflow.env), ...evaluate(place.job.env) };
}

function evaluateDefaults(defaults: RunDefaults, contexts: Contexts): RunDefaults {
  return Object.fromEntries(
    Object.entries(defaults).map(([key, value]: [string, string]) => [key, evaluateTemplate(value, contexts)]),
  );
}
