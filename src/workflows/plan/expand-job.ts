/** A job whose needs have completed: whether it runs, and as which instances. */
import { isObject } from "#lib";
import { ExpressionFailure } from "../errors.ts";
import { evaluateIf, evaluateTemplate, evaluateTree, evaluateValue, type Contexts } from "../expressions/evaluate.ts";
import { hasExpression } from "../expressions/template.ts";
import type { Job } from "../parse/model.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";
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

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** At least one instance. Throws `ExpressionFailure`. */
export function expandJob(job: Job, jobs: readonly JobState[], contexts: RunContexts): readonly JobInstance[] {
  const base: Contexts = { ...contexts, needs: needsContext(job, jobs) };
  const combinations = combinationsOf(job, base);
  const failFast = asBoolean(evaluated(job.strategy.failFast, base), "fail-fast");
  const maxParallel = job.strategy.maxParallel === undefined ? 0 : evaluated(job.strategy.maxParallel, base);
  const strategy = { failFast, maxParallel: asNumber(maxParallel, "max-parallel"), total: combinations.length };
  return combinations.map((combination, index) => instanceOf(job, base, combination, { ...strategy, index }));
}

/** The `strategy` context. */
export function strategyContext(instance: Omit<JobInstance, "name">): ContextObject {
  return {
    "fail-fast": instance.failFast,
    "job-index": instance.index,
    "job-total": instance.total,
    "max-parallel": instance.maxParallel === 0 ? instance.total : instance.maxParallel,
  };
}

function combinationsOf(job: Job, contexts: Contexts): readonly Combination[] {
  if (job.strategy.matrix === undefined) return [{ values: {}, segments: [] }];
  const combinations = expandMatrix(evaluateTree(job.strategy.matrix, contexts));
  if (combinations.length > 0) return combinations;
  throw new ExpressionFailure(
    `Cannot expand "matrix" of job "${job.key}": it has no combination. Give each list at least one value, or skip the job by "if"`,
  );
}

type Place = Pick<JobInstance, "failFast" | "maxParallel" | "total" | "index">;

function instanceOf(job: Job, base: Contexts, combination: Combination, place: Place): JobInstance {
  const matrix = combination.values;
  const draft = { ...place, matrix, labels: [], continueOnError: false, timeoutMinutes: defaultTimeoutMinutes };
  const contexts: Contexts = { ...base, matrix, strategy: strategyContext(draft) };
  const named = job.name === undefined ? "" : evaluateTemplate(job.name, contexts).trim();
  const template = job.name !== undefined && hasExpression(job.name) && named !== "";
  const timeout = job.timeoutMinutes === undefined ? defaultTimeoutMinutes : evaluated(job.timeoutMinutes, contexts);
  return {
    ...draft,
    name: jobName(named === "" ? job.key : named, template ? [] : combination.segments),
    labels: labelsOf(job, contexts),
    continueOnError: asBoolean(evaluated(job.continueOnError, contexts), "continue-on-error"),
    timeoutMinutes: asNumber(timeout, "timeout-minutes"),
  };
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

function labelsOf(job: Job, contexts: Contexts): readonly string[] {
  const value = evaluateTree(job.runsOn.labels, contexts);
  const nested = isObject(value) ? (value["labels"] ?? []) : value;
  const labels = (Array.isArray(nested) ? nested : [nested]).map((label: ContextValue) =>
    typeof label === "string" || typeof label === "number" ? String(label).trim() : "",
  );
  if (labels.length > 0 && labels.every((label) => label !== "")) return labels;
  throw new ExpressionFailure(`Value of "runs-on" is ${JSON.stringify(value)}. It must be a label or a list of labels`);
}
