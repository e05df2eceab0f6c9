/** A job's pods counted, with what its status remembers of those that are gone: pure. */
import { isPodReady, type Job, type Pod } from "#api";
import { isActive, isEnded } from "../pod-state.ts";
import { IndexSet } from "./index-set.ts";
import { failuresBefore, indexOf, isIndexed, isTracked } from "./job-pods.ts";
import { finishedAtMs, isPodFailed, policyVerdict } from "./pod-failure.ts";

export interface Tally {
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  readonly ready: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Indexes the status names; those in `succeededIndexes` may be a step ahead. */
  readonly knownIndexes: IndexSet;
  readonly succeededIndexes: IndexSet;
  /** Where failures are counted by index. */
  readonly failedIndexes: IndexSet | undefined;
  /** By index the failed pod that stays until its successor, which inherits its count, is there. */
  readonly delayed: ReadonlyMap<number, Pod>;
  /** For the back-off: failures since the last success. */
  readonly failures: { readonly count: number; readonly lastMs: number };
}

export function tallyOf(job: Job, pods: readonly Pod[]): Tally {
  const { status } = job;
  const uncounted = new Set([
    ...(status?.uncountedTerminatedPods?.succeeded ?? []),
    ...(status?.uncountedTerminatedPods?.failed ?? []),
  ]);
  const fresh = pods.filter(
    (pod) =>
      isTracked(pod) && !uncounted.has(pod.metadata.uid ?? "") && (!isIndexed(job) || indexOf(job, pod) !== undefined),
  );
  const newlySucceeded = fresh.filter((pod) => pod.status?.phase === "Succeeded").length;
  const newlyFailed = fresh.filter((pod) => isPodFailed(job, pod) && policyVerdict(job, pod).counts).length;
  const active = pods.filter(isActive);
  const indexes = indexesOf(job, pods);
  const base = {
    active,
    terminating: pods.filter((pod) => !isEnded(pod) && pod.metadata.deletionTimestamp !== undefined),
    ready: active.filter(isPodReady).length,
    succeeded: isIndexed(job)
      ? indexes.succeededIndexes.total
      : (status?.succeeded ?? 0) + newlySucceeded + (status?.uncountedTerminatedPods?.succeeded?.length ?? 0),
    failed: (status?.failed ?? 0) + newlyFailed + (status?.uncountedTerminatedPods?.failed?.length ?? 0),
    failures: failuresSinceSuccess(job, pods),
  };
  return { ...base, ...indexes, delayed: delayedPods(job, pods, active, indexes) };
}

type Indexes = Pick<Tally, "knownIndexes" | "succeededIndexes" | "failedIndexes">;

function indexesOf(job: Job, pods: readonly Pod[]): Indexes {
  const { spec, status } = job;
  if (!isIndexed(job))
    return { knownIndexes: IndexSet.empty, succeededIndexes: IndexSet.empty, failedIndexes: undefined };
  const completions = spec.completions ?? 0;
  const tracked = pods.filter(isTracked);
  const known = IndexSet.parse(status?.completedIndexes, completions);
  const withIndex = (wanted: (pod: Pod) => boolean): IndexSet =>
    IndexSet.of(tracked.filter(wanted).flatMap((pod) => indexOf(job, pod) ?? []));
  const succeeded = known.union(withIndex((pod) => pod.status?.phase === "Succeeded"));
  const failed =
    spec.backoffLimitPerIndex === undefined
      ? undefined
      : IndexSet.parse(status?.failedIndexes, completions).union(withIndex((pod) => isIndexFailed(job, pod)));
  return { knownIndexes: known, succeededIndexes: succeeded, failedIndexes: failed };
}

/** Its pod failed once more than the index may, or the policy gives the index up. */
function isIndexFailed(job: Job, pod: Pod): boolean {
  if (!isPodFailed(job, pod)) return false;
  const { action, counts } = policyVerdict(job, pod);
  if (action === "FailIndex") return true;
  return counts && failuresBefore(pod).counted >= (job.spec.backoffLimitPerIndex ?? Infinity);
}

function delayedPods(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  { succeededIndexes, failedIndexes }: Indexes,
): Map<number, Pod> {
  const delayed = new Map<number, Pod>();
  if (job.spec.backoffLimitPerIndex === undefined) return delayed;
  const running = new Set(active.map((pod) => indexOf(job, pod)));
  for (const pod of pods) {
    const index = indexOf(job, pod);
    if (index === undefined || !isTracked(pod) || !isPodFailed(job, pod)) continue;
    if (succeededIndexes.has(index) || failedIndexes?.has(index) === true || running.has(index)) continue;
    const known = delayed.get(index);
    const isLater =
      known === undefined || (allFailures(known) <= allFailures(pod) && finishedAtMs(known) <= finishedAtMs(pod));
    if (isLater) delayed.set(index, pod);
  }
  return delayed;
}

export function allFailures(pod: Pod): number {
  const { counted, ignored } = failuresBefore(pod);
  return counted + ignored;
}

/** Read off the pods themselves, so that a restart forgets nothing. */
function failuresSinceSuccess(job: Job, pods: readonly Pod[]): Tally["failures"] {
  const lastSuccess = Math.max(-Infinity, ...pods.filter((pod) => pod.status?.phase === "Succeeded").map(finishedAtMs));
  const failed = pods.filter((pod) => isPodFailed(job, pod)).map(finishedAtMs);
  const since = failed.filter((atMs) => atMs > lastSuccess);
  return { count: since.length, lastMs: Math.max(-Infinity, ...since) };
}
