/** What upstream checks of jobs, with its paths and messages. Pure. */
import { deepEqual, type Problem } from "#lib";
import { invalid, required, unsupported, wholeNumberProblems } from "../argo/field-problem.ts";
import { podSpecProblems } from "../core/pod-validation.ts";
import { matchesSelector } from "../meta/selector.ts";
import type { Job, JobSpec, PodFailureRule } from "./job.ts";

export function validateJob({ spec, metadata }: Job, old: Job | undefined): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const problems = jobSpecProblems(spec, "spec");
  const labels = spec.template?.metadata?.labels;
  if (spec.selector === undefined) problems.push(required("spec.selector", ""));
  else if (spec.template !== undefined && !matchesSelector(spec.selector, labels)) {
    const message = "`selector` does not match template `labels`";
    problems.push(invalid("spec.template.metadata.labels", labels ?? null, message));
  }
  if (spec.completionMode === "Indexed" && metadata.name.length > 63) {
    problems.push(invalid("metadata.name", metadata.name, "must be no more than 63 characters"));
  }
  return old === undefined ? problems : [...problems, ...changeProblems(spec, old.spec)];
}

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

/** Without the selector, which the job template of a CronJob has not. */
export function jobSpecProblems(spec: JobSpec, path: string): Problem[] {
  const problems: Problem[] = counts.flatMap((field) => wholeNumberProblems(`${path}.${field}`, spec[field]));
  if (spec.completionMode !== undefined && !["NonIndexed", "Indexed"].includes(spec.completionMode)) {
    problems.push(unsupported(`${path}.completionMode`, spec.completionMode, ["Indexed", "NonIndexed"]));
  }
  problems.push(...indexProblems(spec, path));
  (spec.podFailurePolicy?.rules ?? []).forEach((rule, index) =>
    problems.push(...failureRuleProblems(rule, spec, `${path}.podFailurePolicy.rules[${index}]`)),
  );
  if (spec.template === undefined) return [...problems, required(`${path}.template`, "")];
  const policy = spec.template.spec?.restartPolicy;
  if (policy === "Always" || policy === undefined) {
    const value = policy ?? "";
    problems.push({
      path: `${path}.template.spec.restartPolicy`,
      message: `Required value: valid values: "OnFailure", "Never"${value === "" ? "" : ""}`,
    });
  }
  if (spec.podFailurePolicy !== undefined && policy !== "Never") {
    const message = 'only "Never" is supported when podFailurePolicy is specified';
    problems.push(invalid(`${path}.template.spec.restartPolicy`, policy, message));
  }
  return [...problems, ...podSpecProblems(spec.template.spec, `${path}.template.spec`)];
}

const failureActions = ["Count", "FailIndex", "FailJob", "Ignore"];

function failureRuleProblems(rule: PodFailureRule, spec: JobSpec, path: string): Problem[] {
  const problems: Problem[] = [];
  if (!rule.action) problems.push(required(`${path}.action`, `valid values: ${quoted(failureActions)}`));
  else if (!failureActions.includes(rule.action)) {
    problems.push(unsupported(`${path}.action`, rule.action, failureActions));
  }
  const { onExitCodes: codes, onPodConditions: conditions } = rule;
  if (codes !== undefined) {
    const names = containerNames(spec);
    if (codes.containerName !== undefined && !names.has(codes.containerName)) {
      const why = "must be one of the container or initContainer names in the pod template";
      problems.push(invalid(`${path}.onExitCodes.containerName`, codes.containerName, why));
    }
    if (!["In", "NotIn"].includes(codes.operator)) {
      problems.push(unsupported(`${path}.onExitCodes.operator`, codes.operator, ["In", "NotIn"]));
    }
    if ((codes.values ?? []).length === 0) {
      problems.push(invalid(`${path}.onExitCodes.values`, codes.values ?? null, "at least one value is required"));
    }
    if ((codes.values ?? []).some((value, index) => index > 0 && value < (codes.values[index - 1] ?? 0))) {
      problems.push(invalid(`${path}.onExitCodes.values`, codes.values, "must be ordered"));
    }
  }
  if (codes !== undefined && (conditions ?? []).length > 0) {
    problems.push({ path, message: "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported" });
  }
  if (codes === undefined && (conditions ?? []).length === 0) {
    problems.push({ path, message: "Invalid value: specifying one of OnExitCodes and OnPodConditions is required" });
  }
  return problems;
}

function containerNames({ template }: JobSpec): ReadonlySet<string> {
  return new Set(
    [...(template?.spec?.containers ?? []), ...(template?.spec?.initContainers ?? [])].map(({ name }) => name),
  );
}

function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

const maxIndexed = 100_000;

function indexProblems(spec: JobSpec, path: string): Problem[] {
  const lonely = spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined;
  const unmatched = lonely ? [required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified")] : [];
  if (spec.completionMode !== "Indexed") {
    const only = (["backoffLimitPerIndex", "maxFailedIndexes"] as const)
      .filter((field) => spec[field] !== undefined)
      .map((field) => invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
    return [...unmatched, ...only];
  }
  const problems: Problem[] = unmatched;
  const { completions, parallelism = 1 } = spec;
  if (completions === undefined) {
    problems.push(required(`${path}.completions`, "when completion mode is Indexed"));
  }
  if (spec.maxFailedIndexes !== undefined && completions !== undefined && spec.maxFailedIndexes > completions) {
    const message = "must be less than or equal to completions";
    problems.push(invalid(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, message));
  }
  if (parallelism > maxIndexed && (completions ?? 0) > 0) {
    const message = `must be less than or equal to ${maxIndexed} when completion mode is Indexed`;
    problems.push(invalid(`${path}.parallelism`, parallelism, message));
  }
  return problems;
}

/** Of a job that is suspended one may still say where its pods are to run. */
function unplaced(template: JobSpec["template"], suspended: boolean | undefined): unknown {
  if (suspended !== true) return template;
  const { nodeSelector: _n, tolerations: _t, affinity: _a, schedulingGates: _g, ...rest } = template.spec;
  return { ...template, metadata: { ...template.metadata, labels: 0, annotations: 0 }, spec: rest };
}

function changeProblems(spec: JobSpec, old: JobSpec): Problem[] {
  const problems: Problem[] = [];
  function fixed(field: keyof JobSpec): void {
    if (!deepEqual(spec[field], old[field])) {
      problems.push(invalid(`spec.${field}`, spec[field] ?? null, "field is immutable"));
    }
  }
  // The completions of an indexed job may follow its parallelism: that is how it is scaled.
  const elastic = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!elastic) fixed("completions");
  fixed("selector");
  if (!deepEqual(unplaced(spec.template, old.suspend), unplaced(old.template, old.suspend))) fixed("template");
  fixed("completionMode");
  fixed("podFailurePolicy");
  fixed("backoffLimitPerIndex");
  fixed("managedBy");
  fixed("successPolicy");
  return problems;
}
