import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, JobSpec, JobStatus, Pod } from "#api";
import { IndexSet } from "./index-set.ts";
import { indexKey, trackingFinalizer } from "./job-pods.ts";
import { type JobPlan, planJob } from "./plan-job.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");
const startTime = "2026-01-01T00:50:00Z";

function jobOf(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "sum", namespace: "default", uid: "j" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      selector: { matchLabels: { job: "sum" } },
      template: {
        metadata: { labels: { job: "sum" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
      },
      ...spec,
    },
    status: { startTime, ...status },
  };
}

interface Traits {
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly index?: number;
  /** Seconds since it ended. */
  readonly ended?: number;
  readonly going?: boolean;
  readonly tracked?: boolean;
  readonly exitCode?: number;
  readonly restarts?: number;
  readonly condition?: string;
  readonly failures?: number;
}

function podOf(name: string, traits: Traits = {}): Pod {
  const {
    phase = "Running",
    index,
    ended = 600,
    going = false,
    tracked = true,
    restarts = 0,
    condition,
    failures,
  } = traits;
  const exitCode = traits.exitCode ?? (phase === "Failed" ? 1 : 0);
  const finishedAt = now.subtract({ seconds: ended }).toString();
  const over = phase === "Succeeded" || phase === "Failed";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      finalizers: tracked ? [trackingFinalizer] : [],
      annotations: {
        ...(index === undefined ? {} : { [indexKey]: String(index) }),
        ...(failures === undefined ? {} : { "batch.kubernetes.io/job-index-failure-count": String(failures) }),
      },
      ...(going ? { deletionTimestamp: finishedAt } : {}),
    },
    spec: { containers: [], nodeName: "local" },
    status: {
      phase,
      conditions: condition === undefined ? [] : [{ type: condition, status: "True" }],
      containerStatuses: [
        {
          name: "c",
          image: "i",
          imageID: "",
          ready: false,
          restartCount: restarts,
          ...(over ? { state: { terminated: { exitCode, finishedAt } } } : {}),
        },
      ],
    },
  };
}

function plan(job: Job, pods: readonly Pod[]): JobPlan {
  return planJob({ job, pods, now });
}

function names(pods: readonly Pod[]): string {
  return pods.map(({ metadata }) => metadata.name).join(",");
}

/** What is done, and what the status comes to, in one line each. */
function said({ create, end, abort, untrack, status, events, expired }: JobPlan): string[] {
  const uncounted = status.uncountedTerminatedPods ?? {};
  const lines = [
    create.length === 0 ? "" : `create ${create.map(({ index }) => index ?? "one").join(",")}`,
    end.length === 0 ? "" : `end ${names(end)}`,
    abort.length === 0 ? "" : `abort ${names(abort)}`,
    untrack.length === 0 ? "" : `untrack ${names(untrack)}`,
    uncounted.succeeded === undefined ? "" : `to count as succeeded: ${uncounted.succeeded.join(",")}`,
    uncounted.failed === undefined ? "" : `to count as failed: ${uncounted.failed.join(",")}`,
    ...(status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`),
    ...events.map(({ reason }) => `tell ${reason}`),
    expired ? "expired" : "",
  ];
  return lines.filter((line) => line !== "");
}

const met = { type: "SuccessCriteriaMet", status: "True", reason: "CompletionsReached", message: "" } as const;
const target = { type: "FailureTarget", status: "True", reason: "BackoffLimitExceeded", message: "m" } as const;
const complete = {
  type: "Complete",
  status: "True",
  lastTransitionTime: "2026-01-01T00:59:30Z",
  reason: "CompletionsReached",
} as const;
const indexed = { completionMode: "Indexed" } as const;
const failed: Traits = { phase: "Failed" };
const done: Traits = { phase: "Succeeded" };

const cases: { name: string; job: Job; pods?: Pod[]; want: string[] }[] = [
  { name: "a job makes a pod", job: jobOf(), want: ["create one"] },
  {
    name: "as many as may run side by side",
    job: jobOf({ completions: 5, parallelism: 3 }),
    pods: [podOf("a")],
    want: ["create one,one"],
  },
  {
    name: "and no more than are still needed",
    job: jobOf({ completions: 5, parallelism: 3 }, { succeeded: 4 }),
    want: ["create one"],
  },
  {
    name: "less parallelism ends pods, uncounted",
    job: jobOf({ completions: 5, parallelism: 1 }),
    pods: [podOf("a"), podOf("b", { phase: "Pending" })],
    want: ["end b"],
  },
  {
    name: "a pod that succeeded is noted before it is let go",
    job: jobOf({ completions: 2 }),
    pods: [podOf("a", done)],
    want: ["create one", "untrack a", "to count as succeeded: uid-a"],
  },
  {
    name: "it is counted when it has been let go",
    job: jobOf({}, { uncountedTerminatedPods: { succeeded: ["uid-a"] } }),
    pods: [podOf("a", { ...done, tracked: false })],
    want: ["SuccessCriteriaMet=True CompletionsReached"],
  },
  {
    name: "also when it is gone meanwhile",
    job: jobOf({}, { uncountedTerminatedPods: { succeeded: ["uid-a"] } }),
    want: ["SuccessCriteriaMet=True CompletionsReached"],
  },
  {
    name: "a job is complete when every pod is counted and gone",
    job: jobOf({}, { succeeded: 1, conditions: [met] }),
    want: ["SuccessCriteriaMet=True CompletionsReached", "Complete=True CompletionsReached", "tell Completed"],
  },
  {
    name: "not while a pod is on its way out",
    job: jobOf({}, { succeeded: 1, conditions: [met] }),
    pods: [podOf("a", { going: true, tracked: false })],
    want: ["SuccessCriteriaMet=True CompletionsReached"],
  },
  {
    name: "a failed pod is made anew after the back-off",
    job: jobOf(),
    pods: [podOf("a", { ...failed, ended: 11 })],
    want: ["create one", "untrack a", "to count as failed: uid-a"],
  },
  {
    name: "and not before",
    job: jobOf(),
    pods: [podOf("a", { ...failed, ended: 9 })],
    want: ["untrack a", "to count as failed: uid-a"],
  },
  {
    name: "the back-off doubles with each failure",
    job: jobOf(),
    pods: [podOf("a", { ...failed, tracked: false, ended: 60 }), podOf("b", { ...failed, tracked: false, ended: 19 })],
    want: [],
  },
  {
    name: "one failure more than the limit ends the job",
    job: jobOf({ backoffLimit: 1, parallelism: 2, completions: 2 }, { failed: 1 }),
    pods: [podOf("a", failed), podOf("b")],
    want: ["abort b", "untrack a,b", "to count as failed: uid-a,uid-b", "FailureTarget=True BackoffLimitExceeded"],
  },
  {
    name: "a job that failed says so when its pods are counted and gone",
    job: jobOf({}, { failed: 7, conditions: [target] }),
    want: ["FailureTarget=True BackoffLimitExceeded", "Failed=True BackoffLimitExceeded", "tell BackoffLimitExceeded"],
  },
  {
    name: "pods that restart their containers are counted by those",
    job: jobOf({ backoffLimit: 2, template: { metadata: {}, spec: { restartPolicy: "OnFailure", containers: [] } } }),
    pods: [podOf("a", { restarts: 2 })],
    want: ["abort a", "untrack a", "to count as failed: uid-a", "FailureTarget=True BackoffLimitExceeded"],
  },
  {
    name: "a job past its deadline ends",
    job: jobOf({ activeDeadlineSeconds: 600 }),
    pods: [podOf("a")],
    want: ["abort a", "untrack a", "to count as failed: uid-a", "FailureTarget=True DeadlineExceeded"],
  },
  {
    name: "a suspended job ends its pods, uncounted, and says so",
    job: jobOf({ suspend: true }),
    pods: [podOf("a")],
    want: ["end a", "Suspended=True JobSuspended", "tell Suspended"],
  },
  {
    name: "and goes on when it may",
    job: jobOf({}, { conditions: [{ type: "Suspended", status: "True", reason: "JobSuspended" }] }),
    want: ["create one", "Suspended=False JobResumed", "tell Resumed"],
  },
  {
    name: "a work queue is done when one succeeded and none runs",
    job: jobOf({ completions: undefined as never, parallelism: 2 }),
    pods: [podOf("a", done)],
    want: ["untrack a", "to count as succeeded: uid-a", "SuccessCriteriaMet=True CompletionsReached"],
  },
  {
    name: "those that still run are waited for, and no new ones made",
    job: jobOf({ completions: undefined as never, parallelism: 3 }, { succeeded: 1 }),
    pods: [podOf("a")],
    want: [],
  },
  {
    name: "an indexed job makes the first missing indexes",
    job: jobOf({ ...indexed, completions: 5, parallelism: 3 }, { completedIndexes: "0" }),
    pods: [podOf("a", { index: 2 })],
    want: ["create 1,3"],
  },
  {
    name: "of two pods of an index one is ended",
    job: jobOf({ ...indexed, completions: 2, parallelism: 2 }),
    pods: [podOf("a", { index: 0 }), podOf("b", { index: 0, phase: "Pending" })],
    want: ["end b"],
  },
  {
    name: "an index is counted by its number, so its pod may go at once",
    job: jobOf({ ...indexed, completions: 2 }, { completedIndexes: "0" }),
    pods: [podOf("a", { ...done, index: 0 })],
    want: ["create 1", "untrack a"],
  },
  {
    name: "a failed pod stays until its index has a successor that inherits its count",
    job: jobOf({ ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1 }),
    pods: [podOf("a", { ...failed, index: 0, ended: 11 }), podOf("b", { index: 1 })],
    want: ["create 0"],
  },
  {
    name: "and goes then",
    job: jobOf({ ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1 }),
    pods: [podOf("a", { ...failed, index: 0 }), podOf("b", { index: 1 }), podOf("c", { index: 0, failures: 1 })],
    want: ["untrack a", "to count as failed: uid-a"],
  },
  {
    name: "an index that failed too often is given up, and the others go on",
    job: jobOf({ ...indexed, completions: 3, parallelism: 1, backoffLimitPerIndex: 1 }),
    pods: [podOf("a", { ...failed, index: 0, failures: 1 })],
    want: ["create 1", "untrack a", "to count as failed: uid-a"],
  },
  {
    name: "the job fails when every index is settled and one failed",
    job: jobOf(
      { ...indexed, completions: 2, backoffLimitPerIndex: 0 },
      { completedIndexes: "0", failedIndexes: "1", succeeded: 1, failed: 1 },
    ),
    want: ["FailureTarget=True FailedIndexes"],
  },
  {
    name: "or when more indexes failed than may",
    job: jobOf({ ...indexed, completions: 9, backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, { failedIndexes: "1,4" }),
    want: ["FailureTarget=True MaxFailedIndexesExceeded"],
  },
  {
    name: "a success policy ends the job early",
    job: jobOf({
      ...indexed,
      completions: 9,
      parallelism: 2,
      successPolicy: { rules: [{ succeededIndexes: "0-2", succeededCount: 1 }] },
    }),
    pods: [podOf("a", { ...done, index: 1 }), podOf("b", { index: 3 })],
    want: ["abort b", "untrack a,b", "SuccessCriteriaMet=True SuccessPolicy"],
  },
  {
    name: "FailJob by exit code ends the job",
    job: jobOf({ podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }] } }),
    pods: [podOf("a", { ...failed, exitCode: 42 })],
    want: ["untrack a", "to count as failed: uid-a", "FailureTarget=True PodFailurePolicy"],
  },
  {
    name: "Ignore does not count",
    job: jobOf({
      podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] },
    }),
    pods: [podOf("a", { ...failed, condition: "DisruptionTarget" })],
    want: ["create one", "untrack a"],
  },
  {
    name: "a pod on its way out is replaced at once where that is asked for",
    job: jobOf({ podReplacementPolicy: "TerminatingOrFailed" }),
    pods: [podOf("a", { going: true })],
    want: ["create one", "untrack a", "to count as failed: uid-a"],
  },
  {
    name: "and only when it has ended otherwise",
    job: jobOf({ podReplacementPolicy: "Failed" }),
    pods: [podOf("a", { going: true })],
    want: [],
  },
  {
    name: "a finished job is removed when its time to live is over",
    job: jobOf({ ttlSecondsAfterFinished: 30 }, { conditions: [complete] }),
    want: ["Complete=True CompletionsReached", "expired"],
  },
  {
    name: "and stays until then, holding no pod",
    job: jobOf({ ttlSecondsAfterFinished: 31 }, { conditions: [complete] }),
    pods: [podOf("a", done)],
    want: ["untrack a", "Complete=True CompletionsReached"],
  },
  {
    name: "a job that is being deleted makes no pods and holds none",
    job: { ...jobOf(), metadata: { ...jobOf().metadata, deletionTimestamp: now.toString() } },
    pods: [podOf("a", failed)],
    want: ["untrack a", "to count as failed: uid-a"],
  },
];

for (const { name, job, pods = [], want } of cases) test(name, () => assert.deepEqual(said(plan(job, pods)), want));

test("a completed job's status is as upstream's", () => {
  const { status } = plan(jobOf({}, { succeeded: 1, conditions: [met] }), []);
  assert.deepEqual(
    { ...status, conditions: [] },
    {
      startTime,
      conditions: [],
      completionTime: "2026-01-01T01:00:00Z",
      succeeded: 1,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
    },
  );
});

test("at most 500 pods are noted in one write", () => {
  const pods = Array.from({ length: 600 }, (_, index) => podOf(`p${index}`, done));
  const { untrack, status } = plan(jobOf({ completions: 600, parallelism: 600 }), pods);
  assert.equal(untrack.length, 500);
  assert.equal(status.uncountedTerminatedPods?.succeeded?.length, 500);
});

for (const [text, total, missing] of [
  ["", 0, [0, 1, 2]],
  ["0,1", 2, [2, 3, 4]],
  ["1-3,7", 4, [0, 4, 5]],
  ["0-99999", 100_000, []],
] as const) {
  test(`indexes "${text}" are read, counted and written`, () => {
    const completions = 100_000;
    const set = IndexSet.parse(text, completions);
    assert.equal(set.total, total);
    assert.equal(set.toString(), text);
    assert.deepEqual(set.firstMissing(3, completions), missing);
  });
}

test("indexes join where they touch", () => {
  const set = IndexSet.of([5, 1, 2]).union(IndexSet.of([3, 4, 9]));
  assert.equal(set.toString(), "1-5,9");
  assert.equal(set.overlap(IndexSet.parse("0-3", 10)), 3);
});
