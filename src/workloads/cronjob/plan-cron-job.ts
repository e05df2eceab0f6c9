/** What a CronJob needs done: pure, upstream's rules. */
import { apiVersionOf, type CronJob, cronJobs, type Job, jobs } from "#api";
import type { EventText } from "#controller";
import { toTimestamp } from "#lib";
import { finalCondition } from "../job/verdict.ts";
import { ownerReference } from "../pods/owner-reference.ts";
import { dueTime } from "./due-time.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

export interface CronJobObserved {
  readonly cronJob: CronJob;
  /** Its own. */
  readonly jobs: readonly Job[];
  readonly now: Temporal.Instant;
  /** Where `timeZone` says nothing. */
  readonly timeZone: string;
}

export type CronJobStatus = NonNullable<CronJob["status"]>;

export interface CronJobPlan {
  readonly events: readonly EventText[];
  readonly remove: readonly Job[];
  /** Made after the removals. The status then names it as active and its time as the last. */
  readonly start: { readonly job: Job; readonly scheduleTime: string } | undefined;
  readonly status: CronJobStatus;
  readonly wakeAtMs: number | undefined;
}

/** A little after the minute, so that a clock that is set back a trifle does not make us early. */
const paddingMs = 100;

export function planCronJob(observed: CronJobObserved): CronJobPlan {
  const { cronJob } = observed;
  const { status, events } = lookAtJobs(observed);
  const remove = surplusJobs(observed);
  const base: CronJobPlan = { events, remove, start: undefined, status, wakeAtMs: undefined };
  if (cronJob.metadata.deletionTimestamp !== undefined) return base;
  const schedule = scheduleOf(observed);
  if ("reason" in schedule) return { ...base, events: [...events, schedule] };
  return cronJob.spec.suspend === true ? base : planStart(observed, schedule, base);
}

/** What the jobs came to since: who is active, when one last succeeded. */
function lookAtJobs({ cronJob, jobs: own }: CronJobObserved): { status: CronJobStatus; events: EventText[] } {
  const events: EventText[] = [];
  const { active = [], lastScheduleTime } = cronJob.status ?? {};
  let { lastSuccessfulTime } = cronJob.status ?? {};
  const finished = new Set<string | undefined>();
  for (const job of own) {
    const { name, uid } = job.metadata;
    const listed = active.some((reference) => reference.uid === uid);
    const final = finalCondition(job);
    if (final === undefined) {
      if (!listed)
        events.push(warning("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${name}`));
      continue;
    }
    finished.add(uid);
    if (listed) events.push(normal("SawCompletedJob", `Saw completed job: ${name}, condition: ${final.type}`));
    const { completionTime } = job.status ?? {};
    const isNewer = completionTime !== undefined && completionTime > (lastSuccessfulTime ?? "");
    if (final.type === "Complete" && isNewer) lastSuccessfulTime = completionTime;
  }
  const present = new Set(own.map(({ metadata }) => metadata.uid));
  for (const { uid, name } of active) {
    if (!present.has(uid)) events.push(normal("MissingJob", `Active job went missing: ${name}`));
  }
  const left = active.filter(({ uid }) => present.has(uid) && !finished.has(uid));
  return { status: statusOf({ active: left, lastScheduleTime, lastSuccessfulTime }), events };
}

function statusOf(parts: {
  readonly active: NonNullable<CronJobStatus["active"]>;
  readonly lastScheduleTime: string | undefined;
  readonly lastSuccessfulTime: string | undefined;
}): CronJobStatus {
  const { active, lastScheduleTime, lastSuccessfulTime } = parts;
  return {
    ...(active.length === 0 ? {} : { active }),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
}

function normal(reason: string, message: string): EventText {
  return { type: "Normal", reason, message };
}

function warning(reason: string, message: string): EventText {
  return { type: "Warning", reason, message };
}

/** Finished jobs beyond the history limits, oldest first. */
function surplusJobs({ cronJob, jobs: own }: CronJobObserved): Job[] {
  const { successfulJobsHistoryLimit: good = 3, failedJobsHistoryLimit: bad = 1 } = cronJob.spec;
  const beyond = (type: string, limit: number): Job[] => {
    const finished = own
      .filter((job) => finalCondition(job)?.type === type && job.metadata.deletionTimestamp === undefined)
      .toSorted((a, b) => compare(startOf(a), startOf(b)) || compare(a.metadata.name, b.metadata.name));
    return finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [...beyond("Complete", good), ...beyond("Failed", bad)];
}

/** One that never started is as young as can be. */
function startOf({ status }: Job): string {
  return status?.startTime ?? "~";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function scheduleOf({ cronJob, timeZone }: CronJobObserved): Schedule | EventText {
  const { schedule, timeZone: own } = cronJob.spec;
  try {
    const parsed = parseSchedule(schedule, own ?? timeZone);
    return parsed ?? warning("UnparseableSchedule", `unparseable schedule: ${JSON.stringify(schedule)}`);
  } catch {
    const zone = own ?? timeZone;
    return warning("UnknownTimeZone", `invalid timeZone: ${JSON.stringify(zone)}: unknown time zone ${zone}`);
  }
}

function planStart(observed: CronJobObserved, schedule: Schedule, base: CronJobPlan): CronJobPlan {
  const { cronJob, now } = observed;
  const nowMs = now.epochMilliseconds;
  const { startingDeadlineSeconds: deadline, concurrencyPolicy } = cronJob.spec;
  const lastMs = msOf(base.status.lastScheduleTime ?? cronJob.metadata.creationTimestamp) ?? nowMs;
  const sinceMs = deadline === undefined ? lastMs : Math.max(lastMs, nowMs - deadline * 1000);
  const due = dueTime(schedule, sinceMs, nowMs);
  const upcoming = schedule.next(nowMs);
  const waiting: CronJobPlan = { ...base, wakeAtMs: upcoming === undefined ? undefined : upcoming + paddingMs };
  if (due.atMs === undefined) return waiting;
  const many = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
  const events = due.many ? [...base.events, warning("TooManyMissedTimes", many)] : base.events;
  const started = { ...waiting, events };
  const { active = [] } = base.status;
  const job = jobOf(observed, due.atMs);
  const known = active.some(({ name }) => name === job.metadata.name);
  if (known || due.atMs === msOf(base.status.lastScheduleTime)) return started;
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { ...started, events: [...events, normal("JobAlreadyActive", message)] };
  }
  const uids = new Set(active.map(({ uid }) => uid));
  const replaced =
    concurrencyPolicy === "Replace" ? observed.jobs.filter(({ metadata }) => uids.has(metadata.uid)) : [];
  const status = replaced.length === 0 ? base.status : statusOf({ ...timesOf(base.status), active: [] });
  const scheduleTime = toTimestamp(Temporal.Instant.fromEpochMilliseconds(due.atMs));
  return { ...started, remove: [...base.remove, ...replaced], status, start: { job, scheduleTime } };
}

function timesOf({ lastScheduleTime, lastSuccessfulTime }: CronJobStatus): {
  readonly lastScheduleTime: string | undefined;
  readonly lastSuccessfulTime: string | undefined;
} {
  return { lastScheduleTime, lastSuccessfulTime };
}

function msOf(timestamp: string | undefined): number | undefined {
  return timestamp === undefined ? undefined : Temporal.Instant.from(timestamp).epochMilliseconds;
}

/** Named by the minute it was due, so that making it twice makes it once. */
function jobOf({ cronJob, timeZone }: CronJobObserved, atMs: number): Job {
  const { name, namespace = "" } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const zone = cronJob.spec.timeZone ?? timeZone;
  const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone);
  const time = local.toString({ smallestUnit: "second", timeZoneName: "never" }).replace("+00:00", "Z");
  return {
    apiVersion: apiVersionOf(jobs),
    kind: "Job",
    metadata: {
      name: `${name}-${Math.floor(atMs / 60_000)}`,
      namespace,
      ...(metadata?.labels === undefined ? {} : { labels: { ...metadata.labels } }),
      annotations: { ...metadata?.annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp": time },
      ownerReferences: [ownerReference(cronJobs, cronJob)],
    },
    spec: structuredClone(spec),
  };
}
