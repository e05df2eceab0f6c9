/** Whether a job is at its end, and why: pure, upstream's order of reasons. */
import type { Job, JobCondition, Pod } from "#api";
import { findCondition } from "#controller";
import { toTimestamp } from "#lib";
import { IndexSet } from "./index-set.ts";
import { isIndexed } from "./job-pods.ts";
import { isPodFailed, msOf, policyVerdict } from "./pod-failure.ts";
import type { Tally } from "./tally.ts";

/** First one of the two interim conditions is written, then, when all pods are counted and gone, the final one. */
export interface Verdict {
  readonly kind: "success" | "failure";
  readonly reason: string;
  readonly message: string;
}

export function jobCondition(
  type: string,
  status: "True" | "False",
  reason: string,
  message: string,
  now: Temporal.Instant,
): JobCondition {
  const time = toTimestamp(now);
  return { type, status, lastProbeTime: time, lastTransitionTime: time, reason, message };
}

/** The final condition of a job that has ended. */
export function finalCondition({ status }: Job): JobCondition | undefined {
  return status?.conditions?.find(
    ({ type, status: value }) => (type === "Complete" || type === "Failed") && value === "True",
  );
}

export function isSuspended({ spec }: Job): boolean {
  return spec.suspend === true;
}

/** What was decided in an earlier round, or is now; undefined while the job goes on. */
export function verdictOf(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Verdict | undefined {
  return (
    earlierVerdict(job) ?? policyFailure(job, pods) ?? limitFailure(job, pods, tally, nowMs) ?? indexVerdict(job, tally)
  );
}

function earlierVerdict({ status }: Job): Verdict | undefined {
  const met = findCondition(status?.conditions, "SuccessCriteriaMet");
  if (met?.status === "True") return { kind: "success", reason: met.reason ?? "", message: met.message ?? "" };
  const target = findCondition(status?.conditions, "FailureTarget");
  if (target?.status === "True") return { kind: "failure", reason: target.reason ?? "", message: target.message ?? "" };
  return undefined;
}

function policyFailure(job: Job, pods: readonly Pod[]): Verdict | undefined {
  for (const pod of pods) {
    const message = isPodFailed(job, pod) ? policyVerdict(job, pod).message : undefined;
    if (message !== undefined) return { kind: "failure", reason: "PodFailurePolicy", message };
  }
  return undefined;
}

function limitFailure(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Verdict | undefined {
  if (tally.failed > (job.spec.backoffLimit ?? 6) || restartsTooOften(job, pods)) {
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if ((deadlineMs(job) ?? Infinity) <= nowMs) {
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  return undefined;
}

function failure(reason: string, message: string): Verdict {
  return { kind: "failure", reason, message };
}

/** Pods that start their containers again themselves are counted by those. */
function restartsTooOften({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const limit = spec.backoffLimit ?? 6;
  const restarts = pods
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** When `activeDeadlineSeconds` end; undefined while they do not run. */
export function deadlineMs(job: Job): number | undefined {
  const { activeDeadlineSeconds: seconds } = job.spec;
  const start = job.status?.startTime;
  if (seconds === undefined || start === undefined || isSuspended(job)) return undefined;
  return msOf(start) + seconds * 1000;
}

function indexVerdict(job: Job, { failedIndexes, succeededIndexes }: Tally): Verdict | undefined {
  if (!isIndexed(job)) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec;
  const failed = failedIndexes?.total ?? 0;
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  if (failed > 0 && failed + succeededIndexes.total >= completions)
    return failure("FailedIndexes", "Job has failed indexes");
  const rule = matchedSuccessRule(job, succeededIndexes);
  if (rule === undefined) return undefined;
  return { kind: "success", reason: "SuccessPolicy", message: `Matched rules at index ${rule}` };
}

function matchedSuccessRule({ spec }: Job, succeeded: IndexSet): number | undefined {
  if (succeeded.total === 0) return undefined;
  const rules = spec.successPolicy?.rules ?? [];
  const found = rules.findIndex(({ succeededIndexes, succeededCount = Infinity }) => {
    if (succeededIndexes === undefined) return succeeded.total >= succeededCount;
    const wanted = IndexSet.parse(succeededIndexes, spec.completions ?? 0);
    const have = wanted.overlap(succeeded);
    return wanted.total > 0 && (have === wanted.total || have >= succeededCount);
  });
  return found < 0 ? undefined : found;
}
