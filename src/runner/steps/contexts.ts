/** Contexts and functions as a step's expressions see them. */
import {
  evaluateIf,
  evaluateRecord,
  evaluateTemplate,
  evaluateValue,
  hasExpression,
  type ContextObject,
  type Contexts,
  type ExpressionFunctions,
  type JobAssignment,
} from "#workflows";
import type { JobStatus } from "../job/job.ts";
import { hashFiles } from "./hash-files.ts";
import { stepsContext, type Scope } from "./scope.ts";
import type { FileCommandFiles } from "./step-files.ts";
import type { StepHost } from "./step-host.ts";

/**
 * Paths are as steps see them. On GitHub `github.workspace` and its like name folders of the machine in containers too,
 * which nothing there can use.
 *
 * @param env the step's environment as far as it is known
 */
export function contextsOf(
  scope: Scope,
  env: Readonly<Record<string, string>> = {},
  host: StepHost = scope.job.host,
): Contexts {
  const { assignment, folders, runner } = scope.job.parts;
  const { contexts, secrets } = assignment;
  const place = scope.place;
  return {
    github: {
      ...contexts.github,
      workspace: host.inside(folders.workspace),
      event_path: host.inside(folders.eventPath),
      action: place.name,
      action_path: host.inside(place.path ?? ""),
      action_ref: place.ref ?? "",
      action_repository: place.repository ?? "",
      ...(scope.depth > 0 ? { action_status: scope.status() } : {}),
      ...(scope.files === undefined ? {} : filesContext(scope.files, host)),
    },
    env: { ...tokenVariables(assignment), ...Object.fromEntries(scope.job.env), ...scope.env, ...env },
    vars: contexts.vars,
    // A composite action sees no secrets but those handed to it as inputs.
    secrets: scope.depth > 0 ? {} : secrets,
    needs: contexts.needs,
    matrix: contexts.matrix,
    strategy: contexts.strategy,
    inputs: scope.inputs,
    steps: stepsContext(scope.steps),
    job: { status: scope.job.status, ...scope.job.containersContext, ...workflowOf(scope) },
    runner: {
      name: runner.name,
      os: runner.os,
      arch: runner.arch,
      environment: "self-hosted",
      temp: host.inside(folders.temp),
      tool_cache: host.inside(folders.toolCache),
      workspace: host.inside(folders.above),
      debug: debugEnabled(scope) ? "1" : "",
    },
  };
}

/** The job's token, if Forgejo's contract gives it to every step: the job is written in a file of its own. */
export function forgejoToken({ workflow, secrets }: JobAssignment): string | undefined {
  return workflow?.path.startsWith(".forgejo/") === true ? secrets["FORGEJO_TOKEN"] : undefined;
}

function tokenVariables(assignment: JobAssignment): Record<string, string> {
  const token = forgejoToken(assignment);
  return token === undefined ? {} : { GITHUB_TOKEN: token, FORGEJO_TOKEN: token };
}

/** `>> ${{ github.output }}` is what `>> $GITHUB_OUTPUT` is. */
function filesContext({ env, path, output, state, summary }: FileCommandFiles, host: StepHost): ContextObject {
  const seen = { env, path, output, state, step_summary: summary };
  return Object.fromEntries(Object.entries(seen).map(([name, file]) => [name, host.inside(file)]));
}

/** The file the job is written in; `github.workflow_ref` is the one the run is of. */
function workflowOf(scope: Scope): ContextObject {
  const { workflow } = scope.job.parts.assignment;
  if (workflow === undefined) return {};
  const { repository, path, ref, sha } = workflow;
  return {
    workflow_ref: `${repository}/${path}@${ref}`,
    workflow_sha: sha,
    workflow_repository: repository,
    workflow_file_path: path,
  };
}

export function debugEnabled(scope: Scope): boolean {
  return switchedOn(scope, "ACTIONS_STEP_DEBUG");
}

/** Whether the job wants to know what the runner makes of it. */
export function runnerDebugEnabled(scope: Scope): boolean {
  return switchedOn(scope, "ACTIONS_RUNNER_DEBUG");
}

function switchedOn(scope: Scope, name: string): boolean {
  const { contexts, secrets } = scope.job.parts.assignment;
  return secrets[name] === "true" || contexts.vars[name] === "true";
}

function functionsOf(scope: Scope, status: JobStatus): ExpressionFunctions {
  const { host } = scope.job;
  return {
    success: () => status === "success",
    failure: () => status === "failure",
    cancelled: () => scope.job.status === "cancelled",
    always: () => true,
    hashFiles: (...patterns) => {
      const written = patterns.flatMap((pattern) => pattern.split("\n"));
      const outside = written.map((line) =>
        line.replace(/^(\s*!?)(.*)$/, (_all, not, path) => not + host.outside(path)),
      );
      return hashFiles(scope.job.parts.folders.workspace, outside);
    },
  };
}

export function conditionHolds(scope: Scope, condition: string, env: Readonly<Record<string, string>>): boolean {
  // A cancelled job is cancelled for the steps of composite actions too.
  const status = scope.job.status === "cancelled" ? "cancelled" : scope.status();
  // What most steps have.
  if (condition === "success()") return status === "success";
  return evaluateIf(condition, contextsOf(scope, env), functionsOf(scope, status));
}

export function fillTemplate(scope: Scope, text: string, env: Readonly<Record<string, string>> = {}): string {
  // Most texts have none, and to put all contexts together is a good part of what a short step costs.
  if (!hasExpression(text)) return text;
  return evaluateTemplate(text, contextsOf(scope, env), functionsOf(scope, scope.status()));
}

export function fillRecord(
  scope: Scope,
  record: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Record<string, string> {
  if (Object.keys(record).length === 0) return {};
  return evaluateRecord(record, contextsOf(scope, env), functionsOf(scope, scope.status()));
}

/** A number written as such or as a template; undefined when there is none. */
export function fillNumber(scope: Scope, value: number | string | undefined): number | undefined {
  if (value === undefined || typeof value === "number") return value;
  const filled = Number(evaluateValue(value, contextsOf(scope), functionsOf(scope, scope.status())));
  return Number.isFinite(filled) ? filled : undefined;
}

export function fillBoolean(scope: Scope, value: boolean | string | undefined): boolean {
  if (typeof value !== "string") return value ?? false;
  const filled = evaluateValue(value, contextsOf(scope), functionsOf(scope, scope.status()));
  return filled === true || filled === "true";
}
