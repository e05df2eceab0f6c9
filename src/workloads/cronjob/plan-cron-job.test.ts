import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob, Job } from "#api";
import { type CronJobPlan, planCronJob } from "./plan-cron-job.ts";

const now = Temporal.Instant.from("2026-01-01T12:00:20Z");

function cronJobOf(spec: Partial<CronJob["spec"]> = {}, status: CronJob["status"] = {}): CronJob {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "tick", namespace: "default", uid: "cj", creationTimestamp: "2026-01-01T11:30:00Z" },
    spec: {
      schedule: "0 * * * *",
      concurrencyPolicy: "Allow",
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { of: "tick" } }, spec: { template: { spec: { containers: [] } } } },
      ...spec,
    },
    status,
  };
}

function jobOf(name: string, end?: "Complete" | "Failed", startTime = "2026-01-01T11:00:00Z"): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "default", uid: `uid-${name}` },
    spec: { template: { spec: { containers: [] } } },
    status: {
      startTime,
      ...(end === undefined ? {} : { conditions: [{ type: end, status: "True" }] }),
      ...(end === "Complete" ? { completionTime: "2026-01-01T11:00:10Z" } : {}),
    },
  };
}

function activeOf(...names: string[]): NonNullable<NonNullable<CronJob["status"]>["active"]> {
  return names.map((name) => ({ kind: "Job", name, namespace: "default", uid: `uid-${name}` }));
}

function said({ start, remove, events, status }: CronJobPlan): string[] {
  return [
    ...(start === undefined ? [] : [`start ${start.job.metadata.name} of ${start.scheduleTime}`]),
    ...remove.map(({ metadata }) => `remove ${metadata.name}`),
    ...events.map(({ reason }) => `tell ${reason}`),
    ...(status.active === undefined ? [] : [`active ${status.active.map(({ name }) => name).join(",")}`]),
  ];
}

const noon = "start tick-29454480 of 2026-01-01T12:00:00Z";
const cases: { name: string; cronJob: CronJob; jobs?: Job[]; want: string[] }[] = [
  { name: "what is due is started, named by its minute", cronJob: cronJobOf(), want: [noon] },
  { name: "once", cronJob: cronJobOf({}, { lastScheduleTime: "2026-01-01T12:00:00Z" }), want: [] },
  { name: "not when suspended", cronJob: cronJobOf({ suspend: true }), want: [] },
  { name: "not when it is too late for it", cronJob: cronJobOf({ startingDeadlineSeconds: 10 }), want: [] },
  { name: "in time when the deadline allows it", cronJob: cronJobOf({ startingDeadlineSeconds: 30 }), want: [noon] },
  {
    name: "Allow starts beside one that runs",
    cronJob: cronJobOf({}, { active: activeOf("a") }),
    jobs: [jobOf("a")],
    want: [noon, "active a"],
  },
  {
    name: "Forbid waits for it",
    cronJob: cronJobOf({ concurrencyPolicy: "Forbid" }, { active: activeOf("a") }),
    jobs: [jobOf("a")],
    want: ["tell JobAlreadyActive", "active a"],
  },
  {
    name: "Replace ends it",
    cronJob: cronJobOf({ concurrencyPolicy: "Replace" }, { active: activeOf("a") }),
    jobs: [jobOf("a")],
    want: [noon, "remove a"],
  },
  {
    name: "a job that ended is not active any more",
    cronJob: cronJobOf({ suspend: true }, { active: activeOf("a") }),
    jobs: [jobOf("a", "Complete")],
    want: ["tell SawCompletedJob"],
  },
  {
    name: "one that went missing neither",
    cronJob: cronJobOf({ suspend: true }, { active: activeOf("a") }),
    want: ["tell MissingJob"],
  },
  {
    name: "a job made by hand is told of and let be",
    cronJob: cronJobOf({ suspend: true }),
    jobs: [jobOf("by-hand")],
    want: ["tell UnexpectedJob"],
  },
  {
    name: "history beyond its limits goes, oldest first",
    cronJob: cronJobOf({ suspend: true, successfulJobsHistoryLimit: 1 }),
    jobs: [
      jobOf("new", "Complete", "2026-01-01T11:05:00Z"),
      jobOf("old", "Complete", "2026-01-01T10:00:00Z"),
      jobOf("bad", "Failed"),
      jobOf("worse", "Failed", "2026-01-01T09:00:00Z"),
    ],
    want: ["remove old", "remove worse"],
  },
  {
    name: "a schedule that is none is told",
    cronJob: cronJobOf({ schedule: "61 * * * *" }),
    want: ["tell UnparseableSchedule"],
  },
  {
    name: "an unknown time zone is told",
    cronJob: cronJobOf({ timeZone: "Mars/Base" }),
    want: ["tell UnknownTimeZone"],
  },
  {
    name: "more than a hundred missed runs are told, and the last is made up for",
    cronJob: cronJobOf({ schedule: "* * * * *" }, { lastScheduleTime: "2026-01-01T09:00:00Z" }),
    want: [noon, "tell TooManyMissedTimes"],
  },
];

for (const { name, cronJob, jobs = [], want } of cases) {
  test(name, () => assert.deepEqual(said(planCronJob({ cronJob, jobs, now, timeZone: "UTC" })), want));
}

test("the time of the last success is kept", () => {
  const cronJob = cronJobOf({ suspend: true }, { lastSuccessfulTime: "2026-01-01T10:00:00Z" });
  const { status } = planCronJob({ cronJob, jobs: [jobOf("a", "Complete")], now, timeZone: "UTC" });
  assert.equal(status.lastSuccessfulTime, "2026-01-01T11:00:10Z");
});

test("it comes back a little after the next time, by its own time zone", () => {
  const cronJob = cronJobOf({ schedule: "0 9 * * *", timeZone: "America/New_York" });
  const { wakeAtMs } = planCronJob({ cronJob, jobs: [], now, timeZone: "UTC" });
  assert.equal(wakeAtMs, Temporal.Instant.from("2026-01-01T14:00:00.1Z").epochMilliseconds);
});

test("a job says when it was due, in the time zone of its CronJob", () => {
  const cronJob = cronJobOf({ timeZone: "Europe/Berlin" });
  const { start } = planCronJob({ cronJob, jobs: [], now, timeZone: "UTC" });
  assert.deepEqual(start?.job.metadata.annotations, {
    "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T13:00:00+01:00",
  });
});
