/** Which pods a job makes or ends next: pure. */
import type { Job, Pod } from "#api";
import { rankForDeletion } from "../replicas/rank-pods.ts";
import { IndexSet } from "./index-set.ts";
import { failuresBefore, indexOf, isIndexed, type PodToCreate } from "./job-pods.ts";
import { finishedAtMs, policyVerdict, replacesOnlyFailed, retryAtMs } from "./pod-failure.ts";
import { allFailures, type Tally } from "./tally.ts";
import { isSuspended } from "./verdict.ts";

export interface PodSteps {
  readonly create: readonly PodToCreate[];
  /** Ended without being counted as failed. */
  readonly end: readonly Pod[];
  /** When the back-off is over. */
  readonly wakeAtMs?: number;
}

/** Most pods made or ended at once; upstream's limit. */
const burst = 500;

export function managePods(job: Job, tally: Tally, nowMs: number): PodSteps {
  if (isSuspended(job)) return { create: [], end: tally.active };
  const wanted = wantedActive(job, tally);
  const end = podsToEnd(job, tally, tally.active.length - wanted, nowMs).slice(0, burst);
  // Either ends or makes pods in one round; ending comes first.
  if (end.length > 0) return { create: [], end };
  const leaving = replacesOnlyFailed(job) ? tally.terminating.length : 0;
  const missing = Math.min(burst, wanted - leaving - tally.active.length);
  if (missing <= 0) return { create: [], end };
  if (job.spec.backoffLimitPerIndex !== undefined) return missingIndexes(job, tally, missing, nowMs);
  const readyMs = retryAtMs(tally.failures.count, tally.failures.lastMs);
  if (readyMs > nowMs) return { create: [], end, wakeAtMs: readyMs };
  if (!isIndexed(job)) return { create: Array.from({ length: missing }, () => ({})), end };
  return { create: pendingIndexes(job, tally, missing).map((index) => ({ index })), end };
}

/** Without `completions` as many as may run side by side, until one succeeds; then those that run finish. */
function wantedActive({ spec }: Job, { succeeded, active }: Tally): number {
  const parallelism = spec.parallelism ?? 1;
  if (spec.completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(parallelism, spec.completions - succeeded));
}

function podsToEnd(job: Job, { active }: Tally, surplus: number, nowMs: number): Pod[] {
  const ranked = rankForDeletion(active, nowMs);
  if (!isIndexed(job)) return ranked.slice(0, Math.max(0, surplus));
  // Of several pods of one index the one that would be ended last stays; without an index none does.
  const kept = new Map<number, Pod>();
  for (const pod of ranked) {
    const index = indexOf(job, pod);
    if (index !== undefined) kept.set(index, pod);
  }
  const remaining = new Set(kept.values());
  const end = ranked.filter((pod) => !remaining.has(pod));
  const more = ranked.filter((pod) => remaining.has(pod)).slice(0, Math.max(0, surplus - end.length));
  return [...end, ...more];
}

function pendingIndexes(job: Job, tally: Tally, count: number): number[] {
  const taken = replacesOnlyFailed(job) ? [...tally.active, ...tally.terminating] : tally.active;
  const busy = IndexSet.of(taken.flatMap((pod) => indexOf(job, pod) ?? []));
  const settled = tally.succeededIndexes.union(tally.failedIndexes ?? IndexSet.empty);
  return busy.union(settled).firstMissing(count, job.spec.completions ?? 0);
}

/** Each index backs off by itself. */
function missingIndexes(job: Job, tally: Tally, count: number, nowMs: number): PodSteps {
  const indexes = pendingIndexes(job, tally, count).map((index) => {
    const former = tally.delayed.get(index);
    const readyMs = former === undefined ? 0 : retryAtMs(allFailures(former) + 1, finishedAtMs(former));
    return { index, former, readyMs };
  });
  const due = indexes.filter(({ readyMs }) => readyMs <= nowMs);
  const create = due.map(({ index, former }) => ({ index, failures: inherited(job, former) }));
  const later = indexes.filter(({ readyMs }) => readyMs > nowMs).map(({ readyMs }) => readyMs);
  return { create, end: [], ...(later.length === 0 ? {} : { wakeAtMs: Math.min(...later) }) };
}

function inherited(job: Job, former: Pod | undefined): { counted: number; ignored: number } {
  if (former === undefined) return { counted: 0, ignored: 0 };
  const { counted, ignored } = failuresBefore(former);
  return policyVerdict(job, former).counts ? { counted: counted + 1, ignored } : { counted, ignored: ignored + 1 };
}
