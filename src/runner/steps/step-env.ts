/** The environment contract of steps: what every program of a workflow may rely on finding set. */
import type { JobAssignment } from "#workflows";
import type { RunningStep } from "./scope.ts";
import type { FileCommandFiles } from "./step-files.ts";
import { contextsOf, debugEnabled, forgejoToken } from "./contexts.ts";
import type { StepHost } from "./step-host.ts";

/** The keys of `github` that become GITHUB_*; the token is not among them. */
const githubKeys = [
  "actor",
  "actor_id",
  "api_url",
  "base_ref",
  "event_name",
  "event_path",
  "graphql_url",
  "head_ref",
  "job",
  "ref_name",
  "ref_protected",
  "ref_type",
  "ref",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "retention_days",
  "run_attempt",
  "run_id",
  "run_number",
  "server_url",
  "sha",
  "triggering_actor",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "workspace",
  "action",
  "action_path",
  "action_ref",
  "action_repository",
] as const;

/**
 * Base, then the job's and step's own, then what may not be changed.
 *
 * @param host where the program runs; of built-in actions that is the machine
 */
export function stepEnvironment(
  step: RunningStep,
  files: FileCommandFiles | undefined,
  host: StepHost = step.scope.job.host,
): Record<string, string> {
  const env = machineEnvironment(step, files, host);
  if (host.kind === "machine" && step.scope.job.host.kind === "machine") return env;
  const { job } = step.scope;
  // Values that are paths, whoever set them: steps in a container set its own, the runner those of the machine.
  const translate = (value: string): string => (host.kind === "machine" ? job.host.outside(value) : host.inside(value));
  const entries = Object.entries(env).map(([name, value]) => [name, name === "PATH" ? value : translate(value)]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function machineEnvironment(
  step: RunningStep,
  files: FileCommandFiles | undefined,
  host: StepHost,
): Record<string, string> {
  const { job } = step.scope;
  const { assignment } = job.parts;
  const own: Record<string, string> = { ...Object.fromEntries(job.env), ...step.env };
  const contract = { GITHUB_ACTIONS: "true", ...githubVariables(step, host), ...fileVariables(files) };
  const env: Record<string, string> = {
    ...host.baseEnv,
    CI: "true",
    ...own,
    ...contract,
    ...forgejoVariables(assignment, contract, own),
    ...runnerVariables(step),
    PATH: pathOf(step, own, host),
  };
  const { idTokenRequestUrl, idTokenRequestToken } = assignment.services;
  if (idTokenRequestUrl !== undefined) env["ACTIONS_ID_TOKEN_REQUEST_URL"] = idTokenRequestUrl;
  if (idTokenRequestToken !== undefined) env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = idTokenRequestToken;
  return env;
}

function fileVariables(files: FileCommandFiles | undefined): Record<string, string> {
  if (files === undefined) return {};
  return {
    GITHUB_ENV: files.env,
    GITHUB_OUTPUT: files.output,
    GITHUB_PATH: files.path,
    GITHUB_STATE: files.state,
    GITHUB_STEP_SUMMARY: files.summary,
  };
}

/** Forgejo's contract for its own files: everything by its name, too, and the token in every step unless it is set. */
function forgejoVariables(
  assignment: JobAssignment,
  contract: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const token = forgejoToken(assignment);
  if (token === undefined) return {};
  const named = Object.entries(contract).map(([name, value]) => [name.replace(/^GITHUB_/, "FORGEJO_"), value]);
  const { GITHUB_TOKEN = token, FORGEJO_TOKEN = token } = own;
  return {
    ...(Object.fromEntries(named) as Record<string, string>),
    GITEA_ACTIONS: "true",
    GITHUB_TOKEN,
    FORGEJO_TOKEN,
  };
}

/** The PATH that a program of the step gets. */
export function stepSearchPath(step: RunningStep): string {
  const { job } = step.scope;
  return pathOf(step, { ...Object.fromEntries(job.env), ...step.env }, job.host);
}

/** A PATH set in `env:` replaces the host's, not what steps have added. */
function pathOf(step: RunningStep, own: Readonly<Record<string, string>>, host: StepHost): string {
  const base = host.baseEnv["PATH"] ?? "";
  const current = step.scope.job.searchPath(host);
  return own["PATH"] === undefined ? current : current.slice(0, current.length - base.length) + own["PATH"];
}

function githubVariables(step: RunningStep, host: StepHost): Record<string, string> {
  const github = contextsOf(step.scope, {}, host).github ?? {};
  const variables: Record<string, string> = {};
  for (const key of githubKeys) {
    const value = github[key];
    if (value === undefined || value === null || typeof value === "object") continue;
    if (value === "" && key.startsWith("action_")) continue;
    variables[`GITHUB_${key.toUpperCase()}`] = String(value);
  }
  return variables;
}

function runnerVariables(step: RunningStep): Record<string, string> {
  const { runner, folders, trackingId } = step.scope.job.parts;
  return {
    RUNNER_OS: runner.os,
    RUNNER_ARCH: runner.arch,
    RUNNER_NAME: runner.name,
    RUNNER_ENVIRONMENT: "self-hosted",
    RUNNER_TOOL_CACHE: folders.toolCache,
    RUNNER_TEMP: folders.temp,
    RUNNER_WORKSPACE: folders.above,
    RUNNER_TRACKING_ID: trackingId,
    ...(debugEnabled(step.scope) ? { RUNNER_DEBUG: "1" } : {}),
  };
}

/** What actions get on top of what scripts get. */
export function actionEnvironment(step: RunningStep): Record<string, string> {
  const { resultsUrl, cacheUrl, runtimeToken } = step.scope.job.parts.assignment.services;
  return {
    ...(resultsUrl === undefined
      ? {}
      : { ACTIONS_RESULTS_URL: resultsUrl, ACTIONS_RUNTIME_URL: resultsUrl, ACTIONS_CACHE_SERVICE_V2: "True" }),
    ...(cacheUrl === undefined ? {} : { ACTIONS_CACHE_URL: cacheUrl }),
    ...(runtimeToken === undefined ? {} : { ACTIONS_RUNTIME_TOKEN: runtimeToken }),
  };
}

/** `INPUT_<NAME>`: spaces become underscores, hyphens stay. */
export function inputVariables(inputs: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
    value,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
