/** A job whose needs have completed: whether it runs, and as which instances. */
import { isObject } from "#lib";
import { ExpressionFailure } from "../errors.ts";
import {
  evaluateIf,
  evaluateTemplate,
  evaluateTree,
  evaluateValue,
  textOf,
  type Contexts,
} from "../expressions/evaluate.ts";
import { hasExpression } from "../expressions/template.ts";
import type { Job, Strategy } from "../parse/model.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";
import { callInputs } from "./call-inputs.ts";
import { requestGroup, type GroupRequest } from "./concurrency.ts";
import { requestEnvironment } from "./request-environment.ts";
import { isWanted, skipForLabels } from "./narrow.ts";
import { ancestorsOf, needsContext, resultOf, type JobInstance, type JobState } from "./job-state.ts";
import { expandMatrix, jobName, type Combination } from "./matrix.ts";

export interface RunContexts {
  readonly github: ContextObject;
  readonly vars: ContextObject;
  readonly inputs: ContextObject;
}

/** Minutes a job may take when it does not say. */
const defaultTimeoutMinutes = 360;

/**
 * Whether the job's `if` holds. A skip or failure anywhere above counts, not only in the jobs it names: a job that ran
 * by `always()` does not make what needs it run. Throws `ExpressionFailure`.
 */
export function conditionHolds(
  job: Job,
  all: readonly Job[],
  jobs: readonly JobState[],
  contexts: RunContexts,
  cancelled: boolean,
): boolean {
  const ancestors = ancestorsOf(job, all);
  function results(keys: readonly string[]): readonly (string | undefined)[] {
    const wanted = keys.length === 0 ? ancestors : ancestors.filter((key) => keys.some((k) => sameName(k, key)));
    return wanted.map((key) => resultOf(jobs.filter((other) => other.key === key)));
  }
  return evaluateIf(
    job.if,
    { ...contexts, needs: needsContext(job, jobs) },
    {
      success: (...keys) => !cancelled && results(keys).every((result) => result === "success"),
      failure: (...keys) => !cancelled && results(keys).includes("failure"),
      always: () => true,
      cancelled: () => cancelled,
    },
  );
}

/** Why the condition of a job did not hold, for people. */
export function skipReason(job: Job, all: readonly Job[], jobs: readonly JobState[]): string {
  const results = ancestorsOf(job, all).map((key) => ({ key, result: resultOf(jobs.filter((j) => j.key === key)) }));
  const words: Readonly<Record<string, string>> = {
    failure: "failed",
    skipped: "was skipped",
    cancelled: "was cancelled",
  };
  const bad = results.find(({ result }) => result !== "success");
  if (bad?.result !== undefined && job.if.startsWith("success()")) {
    return `Needs "${bad.key}", which ${words[bad.result] ?? bad.result}`;
  }
  const written = /^success\(\) && \((?<own>[^]*)\)$/.exec(job.if)?.groups?.["own"] ?? job.if;
  return `Condition is false: ${written.length > 200 ? `${written.slice(0, 200)}…` : written}`;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * At least one instance. Throws `ExpressionFailure`.
 *
 * @param above what the names begin with: the names of the calls that lead to the job
 */
export function expandJob(
  job: Job,
  jobs: readonly JobState[],
  contexts: RunContexts,
  above = "",
): readonly JobInstance[] {
  const base: Contexts = { ...contexts, needs: needsContext(job, jobs) };
  const written = strategyOf(job.strategy, base);
  const combinations = wantedOf(job, combinationsOf(job, written, base));
  const failFast = asBoolean(evaluated(written.failFast, base), "fail-fast");
  const maxParallel = written.maxParallel === undefined ? 0 : evaluated(written.maxParallel, base);
  const strategy = { failFast, maxParallel: asNumber(maxParallel, "max-parallel"), total: combinations.length };
  return combinations.map((combination, index) => instanceOf(job, base, combination, { ...strategy, index }, above));
}

/** The `strategy` context. */
export function strategyContext(
  instance: Pick<JobInstance, "failFast" | "index" | "total" | "maxParallel">,
): ContextObject {
  return {
    "fail-fast": instance.failFast,
    "job-index": instance.index,
    "job-total": instance.total,
    "max-parallel": instance.maxParallel === 0 ? instance.total : instance.maxParallel,
  };
}

type PlainStrategy = Omit<Strategy, "matrix" | "whole"> & { readonly matrix?: ContextValue };

/** An expression in place of all of `strategy` has its keys in its value. */
function strategyOf(strategy: Strategy, contexts: Contexts): PlainStrategy {
  if (strategy.whole === undefined) return strategy;
  const value = evaluateValue(strategy.whole, contexts);
  if (!isObject(value))
    throw new ExpressionFailure(`Value of "strategy" is ${JSON.stringify(value)}. It must be an object`);
  const { matrix, "fail-fast": failFast = true, "max-parallel": maxParallel = null } = value;
  return {
    failFast: asBoolean(failFast, "fail-fast"),
    ...(maxParallel === null ? {} : { maxParallel: asNumber(maxParallel, "max-parallel") }),
    ...(matrix === undefined || matrix === null ? {} : { matrix }),
  };
}

function combinationsOf(job: Job, strategy: PlainStrategy, contexts: Contexts): readonly Combination[] {
  if (strategy.matrix === undefined) return [{ values: {}, segments: [] }];
  const combinations = expandMatrix(evaluateTree(strategy.matrix, contexts));
  if (combinations.length > 0) return combinations;
  throw new ExpressionFailure(
    `Cannot expand "matrix" of job "${job.key}": it has no combination. Give each list at least one value, or skip the job by "if"`,
  );
}

function wantedOf(job: Job, combinations: readonly Combination[]): readonly Combination[] {
  const { leftOut } = job;
  if (leftOut === undefined) return combinations;
  const wanted = combinations.filter(({ values }) => isWanted(leftOut, values));
  if (wanted.length > 0) return wanted;
  const asked = Object.entries(leftOut.matrixBut).map(([key, values]) => `${key}: ${values.join(" or ")}`);
  throw new ExpressionFailure(`Matrix of job "${job.key}" has no combination with ${asked.join(", ")}`);
}

type Place = Pick<JobInstance, "failFast" | "maxParallel" | "total" | "index">;

function instanceOf(job: Job, base: Contexts, combination: Combination, place: Place, above: string): JobInstance {
  const matrix = combination.values;
  const contexts: Contexts = { ...base, matrix, strategy: strategyContext(place) };
  const named = job.name === undefined ? "" : evaluateTemplate(job.name, contexts).trim();
  const template = job.name !== undefined && hasExpression(job.name) && named !== "";
  const minutes = (value: number | string | undefined, key: string): number | undefined =>
    value === undefined ? undefined : asNumber(evaluated(value, contexts), key);
  const call = job.call === undefined ? undefined : { inputs: callInputs(job.call, contexts) };
  const cancelTimeoutMinutes = minutes(job.cancelTimeoutMinutes, "cancel-timeout-minutes");
  const concurrency = groupsOf(job, contexts, call);
  const runner = call === undefined ? runnerOf(job, contexts) : { labels: [], call };
  const skip = skipForLabels(job.leftOut, runner.labels);
  const environment = requestEnvironment(job.environment, contexts);
  return {
    ...place,
    matrix,
    name: `${above}${jobName(named === "" ? job.key : named, template ? [] : combination.segments)}`,
    ...runner,
    ...(skip === undefined ? {} : { skip }),
    continueOnError: asBoolean(evaluated(job.continueOnError, contexts), "continue-on-error"),
    timeoutMinutes: minutes(job.timeoutMinutes, "timeout-minutes") ?? defaultTimeoutMinutes,
    ...(cancelTimeoutMinutes === undefined ? {} : { cancelTimeoutMinutes }),
    ...(concurrency.length === 0 ? {} : { concurrency }),
    ...(environment === undefined ? {} : { environment }),
  };
}

/** The job's own group, then that of the workflow it calls, as the called workflow sees it. */
function groupsOf(job: Job, contexts: Contexts, call: JobInstance["call"]): readonly GroupRequest[] {
  const own = job.concurrency === undefined ? undefined : requestGroup(job.concurrency, contexts);
  const called = job.call?.workflow?.concurrency;
  const { github = {}, vars = {} } = contexts;
  const inner =
    called === undefined || call === undefined
      ? undefined
      : requestGroup(called, { github, vars, inputs: call.inputs });
  return [own, inner?.name === own?.name ? undefined : inner].filter((group) => group !== undefined);
}

function evaluated(value: boolean | number | string, contexts: Contexts): ContextValue {
  return typeof value === "string" ? evaluateValue(value, contexts) : value;
}

function asBoolean(value: ContextValue, key: string): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw new ExpressionFailure(`Value of "${key}" is ${JSON.stringify(value)}. It must be true or false`);
}

function asNumber(value: ContextValue, key: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number) && number >= 0) return number;
  throw new ExpressionFailure(`Value of "${key}" is ${JSON.stringify(value)}. It must be a number from 0`);
}

/** `runs-on`: labels, a group, or both; an expression may give the whole mapping. */
function runnerOf(job: Job, contexts: Contexts): Pick<JobInstance, "labels" | "runnerGroup"> {
  const value = evaluateTree(job.runsOn.labels, contexts);
  const mapping = isObject(value) ? value : undefined;
  const group = mapping === undefined ? evaluateTemplate(job.runsOn.group ?? "", contexts) : (mapping["group"] ?? "");
  // `organization/` and the like only say where GitHub looks for the group.
  const runnerGroup = textOf(group)
    .trim()
    .replace(/^[^/]+\//, "");
  const nested = mapping === undefined ? value : (mapping["labels"] ?? []);
  const labels = (Array.isArray(nested) ? nested : [nested]).map((label: ContextValue) =>
    typeof label === "string" || typeof label === "number" ? String(label).trim() : "",
  );
  const wanted = runnerGroup === "" ? {} : { runnerGroup };
  if (labels.every((label) => label !== "") && (labels.length > 0 || runnerGroup !== "")) return { labels, ...wanted };
  throw new ExpressionFailure(`Value of "runs-on" is ${JSON.stringify(value)}. It must be a label or a list of labels`);
}
