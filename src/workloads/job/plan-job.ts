/**
 * What a job needs done: pure. No pod is counted twice and none is missed, however often we die in between, by three
 * steps that each rest on what the one before has stored:
 *
 * 1. the uid of a pod that ended (or its index) is written into the status, the pod still carrying our finalizer;
 * 2. the finalizer is taken off, so that the pod may go;
 * 3. in one write the uid leaves the list and the counter grows, once the pod carries the finalizer no more.
 */
import type { Job, JobCondition, JobStatus, Pod } from "#api";
import type { EventText } from "#controller";
import { toTimestamp } from "#lib";
import { IndexSet } from "./index-set.ts";
import { indexOf, isIndexed, isTracked, type PodToCreate } from "./job-pods.ts";
import { managePods } from "./manage-pods.ts";
import { isPodFailed, msOf, policyVerdict } from "./pod-failure.ts";
import { type Tally, tallyOf } from "./tally.ts";
import { deadlineMs, finalCondition, isSuspended, jobCondition, type Verdict, verdictOf } from "./verdict.ts";

export interface JobObserved {
  readonly job: Job;
  /** Its own. */
  readonly pods: readonly Pod[];
  readonly now: Temporal.Instant;
}

export interface JobPlan {
  readonly create: readonly PodToCreate[];
  /** Ended uncounted: the finalizer comes off first. */
  readonly end: readonly Pod[];
  /** Ended because the job is over: they are counted as failed. */
  readonly abort: readonly Pod[];
  readonly status: JobStatus;
  /** To do when the status is stored. */
  readonly untrack: readonly Pod[];
  /** To tell when the status is stored. */
  readonly events: readonly EventText[];
  readonly wakeAtMs: number | undefined;
  /** The job's time to live is over. */
  readonly expired: boolean;
}

/** Uids in the status at most; upstream's limit, which keeps a status small. */
const maxUncounted = 500;

export function planJob(observed: JobObserved): JobPlan {
  const { job, pods, now } = observed;
  const final = finalCondition(job);
  if (final !== undefined) return planEnded(observed, final);
  const nowMs = now.epochMilliseconds;
  const tally = tallyOf(job, pods);
  const started = withStart(job, now);
  const verdict = verdictOf(started, pods, tally, nowMs);
  const ending = job.metadata.deletionTimestamp !== undefined;
  const steps = verdict === undefined && !ending ? managePods(job, tally, nowMs) : { create: [], end: [] };
  const abort = verdict === undefined ? [] : tally.active;
  const active = tally.active.length + steps.create.length - steps.end.length - abort.length;
  const outcome = verdict ?? completion(job, tally, active);
  const suspension = verdict === undefined && outcome === undefined && !ending ? suspensionOf(started, now) : undefined;
  const counts = {
    active,
    ready: tally.ready - readyAmong([...steps.end, ...abort]),
    terminating: tally.terminating.length + steps.end.length + abort.length,
  };
  const tracked = track(observed, tally, outcome);
  const base = { ...(suspension?.status ?? started.status), ...countsOf(counts), ...tracked.status };
  const concluded = conclude(base, outcome, tracked, counts.terminating + abort.length, now);
  return {
    ...steps,
    abort,
    status: tidy(concluded.status),
    untrack: tracked.untrack,
    events: [...(suspension?.events ?? []), ...concluded.events(job)],
    wakeAtMs: earliest(
      verdict === undefined ? deadlineMs(started) : undefined,
      "wakeAtMs" in steps ? steps.wakeAtMs : undefined,
    ),
    expired: false,
  };
}

/** Counting is over: nothing holds a pod any more. */
function planEnded({ job, pods, now }: JobObserved, final: JobCondition): JobPlan {
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  const ttlMs = seconds === undefined ? undefined : msOf(final.lastTransitionTime ?? toTimestamp(now)) + seconds * 1000;
  const expired = ttlMs !== undefined && ttlMs <= now.epochMilliseconds && job.metadata.deletionTimestamp === undefined;
  return {
    create: [],
    end: [],
    abort: [],
    status: job.status ?? {},
    untrack: pods.filter(isTracked),
    events: [],
    wakeAtMs: expired ? undefined : ttlMs,
    expired,
  };
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function readyAmong(pods: readonly Pod[]): number {
  return pods.filter(({ status }) =>
    status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True"),
  ).length;
}

function withStart(job: Job, now: Temporal.Instant): Job {
  if (job.status?.startTime !== undefined || isSuspended(job)) return job;
  return { ...job, status: { ...job.status, startTime: toTimestamp(now) } };
}

function completion({ spec }: Job, { succeeded }: Tally, active: number): Verdict | undefined {
  const enough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
  if (!enough || active > 0) return undefined;
  return { kind: "success", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };
}

/** The Suspended condition; a job that goes on again has its deadline counted anew. */
function suspensionOf(
  job: Job,
  now: Temporal.Instant,
): { readonly status: JobStatus; readonly events: readonly EventText[] } | undefined {
  const known = job.status?.conditions ?? [];
  const present = known.find(({ type }) => type === "Suspended");
  const wanted = isSuspended(job);
  if ((present?.status === "True") === wanted) return undefined;
  const [reason, message] = wanted ? ["JobSuspended", "Job suspended"] : ["JobResumed", "Job resumed"];
  const condition = jobCondition("Suspended", wanted ? "True" : "False", reason, message, now);
  const conditions =
    present === undefined ? [...known, condition] : known.map((old) => (old === present ? condition : old));
  const start = wanted ? {} : { startTime: toTimestamp(now) };
  return {
    status: { ...job.status, conditions, ...start },
    events: [{ type: "Normal", reason: wanted ? "Suspended" : "Resumed", message }],
  };
}

function countsOf({ active, ready, terminating }: { active: number; ready: number; terminating: number }): JobStatus {
  return { active, ready, terminating };
}

interface Tracked {
  readonly status: JobStatus;
  readonly untrack: readonly Pod[];
  /** All that ended is counted. */
  readonly settled: boolean;
}

function track({ job, pods }: JobObserved, tally: Tally, outcome: Verdict | undefined): Tracked {
  const cleaned = countReleased(job, pods);
  const succeeded = new Set(cleaned.uncountedTerminatedPods?.succeeded);
  const failed = new Set(cleaned.uncountedTerminatedPods?.failed);
  const done: number[] = [];
  const untrack: Pod[] = [];
  const waiting = pods.filter((pod) => isTracked(pod) && mayRelease(job, pod, tally, outcome));
  for (const pod of waiting) {
    if (done.length + succeeded.size + failed.size >= maxUncounted) break;
    untrack.push(pod);
    const { uid = "" } = pod.metadata;
    const index = indexOf(job, pod);
    if (pod.status?.phase === "Succeeded" && !failed.has(uid)) {
      if (!isIndexed(job)) succeeded.add(uid);
      else if (index !== undefined) done.push(index);
    } else if (isPodFailed(job, pod) || (outcome !== undefined && outcome.kind === "failure")) {
      const numbered = !isIndexed(job) || index !== undefined;
      if (numbered && policyVerdict(job, pod).counts) failed.add(uid);
    }
  }
  const indexes = tally.knownIndexes.union(IndexSet.of(done));
  const status: JobStatus = {
    ...cleaned,
    uncountedTerminatedPods: {
      ...(succeeded.size === 0 ? {} : { succeeded: [...succeeded] }),
      ...(failed.size === 0 ? {} : { failed: [...failed] }),
    },
    ...(isIndexed(job) ? { succeeded: indexes.total, completedIndexes: indexes.toString() } : {}),
    ...(tally.failedIndexes === undefined ? {} : { failedIndexes: tally.failedIndexes.toString() }),
  };
  return { status, untrack, settled: untrack.length === 0 && succeeded.size + failed.size === 0 };
}

/** Step 3: pods in the list that carry the finalizer no more are in the counter instead. */
function countReleased({ status }: Job, pods: readonly Pod[]): JobStatus {
  const held = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ""));
  const uncounted = status?.uncountedTerminatedPods ?? {};
  const left = (uids: readonly string[] = []): string[] => uids.filter((uid) => held.has(uid));
  const released = (uids: readonly string[] = []): number => uids.length - left(uids).length;
  return {
    succeeded: (status?.succeeded ?? 0) + released(uncounted.succeeded),
    failed: (status?.failed ?? 0) + released(uncounted.failed),
    uncountedTerminatedPods: { succeeded: left(uncounted.succeeded), failed: left(uncounted.failed) },
  };
}

function mayRelease(job: Job, pod: Pod, { delayed }: Tally, outcome: Verdict | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || outcome !== undefined) return true;
  if (pod.status?.phase === "Succeeded") return true;
  if (!isPodFailed(job, pod)) return false;
  const index = indexOf(job, pod);
  return index === undefined || delayed.get(index)?.metadata.uid !== pod.metadata.uid;
}

interface Concluded {
  readonly status: JobStatus;
  readonly events: (job: Job) => readonly EventText[];
}

/** The interim condition at once; the final one when every pod is counted and gone. */
function conclude(
  status: JobStatus,
  outcome: Verdict | undefined,
  tracked: Tracked,
  terminating: number,
  now: Temporal.Instant,
): Concluded {
  if (outcome === undefined) return { status, events: () => [] };
  const { kind, reason, message } = outcome;
  const [interim, final] = kind === "success" ? ["SuccessCriteriaMet", "Complete"] : ["FailureTarget", "Failed"];
  const known = status.conditions ?? [];
  const met = known.some(({ type }) => type === interim);
  const conditions = met ? known : [...known, jobCondition(interim, "True", reason, message, now)];
  // The interim condition is stored before the final one, so that what was decided stays decided.
  if (!met || !tracked.settled || terminating > 0) return { status: { ...status, conditions }, events: () => [] };
  const ended = jobCondition(final, "True", reason, message, now);
  return {
    status: {
      ...status,
      conditions: [...conditions, ended],
      ...(kind === "success" ? { completionTime: toTimestamp(now) } : {}),
    },
    events: (job) => endEvents(job, outcome, status),
  };
}

function endEvents({ spec }: Job, { kind, reason, message }: Verdict, { succeeded = 0 }: JobStatus): EventText[] {
  if (kind === "failure") return [{ type: "Warning", reason, message }];
  const tooMany: EventText = {
    type: "Warning",
    reason: "TooManySucceededPods",
    message: "Too many succeeded pods running after completion count reached",
  };
  const completed: EventText = { type: "Normal", reason: "Completed", message: "Job completed" };
  return spec.completions !== undefined && succeeded > spec.completions ? [tooMany, completed] : [completed];
}

/** Zeros and empty texts are left out, as upstream's `omitempty` does; `ready` and `terminating` always stand. */
function tidy(status: JobStatus): JobStatus {
  const result = { ...status };
  for (const key of ["active", "succeeded", "failed"] as const) if (result[key] === 0) delete result[key];
  if (result.completedIndexes === "") delete result.completedIndexes;
  return result;
}
