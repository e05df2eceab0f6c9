import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AnalysisPhase, AnalysisRun, AnalysisTemplate, Metric } from "#api";
import { argumentsOf, substitute } from "./arguments.ts";
import { judge, printNumber, printResult } from "./conditions.ts";
import { concludeRun, type Measured, planRun } from "./plan-run.ts";
import { runSpecOf } from "./templates.ts";

const start = Temporal.Instant.from("2026-01-01T00:00:00Z");
const noArgs: ReadonlyMap<string, string> = new Map();

function metric(overrides: Partial<Metric> = {}): Metric {
  return { name: "rate", provider: { prometheus: { query: "up" } }, ...overrides };
}

function runOf(metrics: Metric[], overrides: Partial<AnalysisRun["spec"]> = {}): AnalysisRun {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AnalysisRun",
    metadata: { name: "web-1", namespace: "shop" },
    spec: { metrics, ...overrides },
  };
}

function withStatus(run: AnalysisRun, status: AnalysisRun["status"] & object): AnalysisRun {
  return { ...run, status };
}

/** Lets a run measure as it wants to, with the next of `phases` each time (by metric), until it ends or none is left. */
function play(
  given: AnalysisRun,
  phases: Readonly<Record<string, readonly AnalysisPhase[]>>,
): { run: AnalysisRun; times: number[] } {
  const left = new Map(Object.entries(phases).map(([name, list]) => [name, [...list]]));
  let [run, now] = [given, start];
  const times: number[] = [];
  for (let round = 0; round < 50; round++) {
    const plan = planRun(run, noArgs, now);
    if (plan.kind === "fail") return { run: { ...run, status: plan.status }, times };
    if (plan.kind !== "measure") return { run, times };
    const measured = plan.metrics.flatMap(({ name }): Measured[] => {
      const phase = left.get(name)?.shift();
      if (phase === undefined) return [];
      const at = now.toString({ smallestUnit: "millisecond" });
      return [{ metric: name, measurement: { phase, startedAt: at, finishedAt: at, value: "1" } }];
    });
    if (measured.length > 0) times.push((now.epochMilliseconds - start.epochMilliseconds) / 1000);
    if (measured.length < plan.metrics.length) return { run, times };
    const { status, nextAt } = concludeRun(run, noArgs, measured, now);
    run = withStatus(run, status);
    if (nextAt === undefined) return { run, times };
    now = nextAt;
  }
  return { run, times };
}

const ok = "Successful" as const;
const bad = "Failed" as const;
const unclear = "Inconclusive" as const;
const error = "Error" as const;

describe("an analysis run", () => {
  const cases: readonly {
    readonly name: string;
    readonly metric: Partial<Metric>;
    readonly phases: readonly AnalysisPhase[];
    readonly want: AnalysisPhase;
    readonly message?: string;
    readonly times?: readonly number[];
  }[] = [
    { name: "measures once without count and interval", metric: {}, phases: [ok], want: ok, times: [0] },
    {
      name: "measures count times, an interval after the end of the one before",
      metric: { count: 3, interval: "30s" },
      phases: [ok, ok, ok],
      want: ok,
      times: [0, 30, 60],
    },
    {
      name: "goes on for ever with an interval and no count",
      metric: { interval: "1m" },
      phases: [ok, ok, ok, ok],
      want: "Running",
      times: [0, 60, 120, 180],
    },
    { name: "waits for initialDelay", metric: { initialDelay: "5s" }, phases: [ok], want: ok, times: [5] },
    {
      name: "fails at the first failure by default",
      metric: { count: 3, interval: "1s" },
      phases: [bad],
      want: bad,
      message: 'Metric "rate" assessed Failed due to failed (1) > failureLimit (0)',
    },
    {
      name: "bears as many failures as failureLimit says",
      metric: { count: 4, interval: "1s", failureLimit: 2 },
      phases: [bad, ok, bad, ok],
      want: ok,
    },
    {
      name: "never fails with failureLimit -1, but must reach its successes",
      metric: { count: 3, interval: "1s", failureLimit: -1, consecutiveSuccessLimit: 2 },
      phases: [bad, ok, bad],
      want: bad,
    },
    {
      name: "ends early at consecutiveSuccessLimit",
      metric: { interval: "1s", failureLimit: 3, consecutiveSuccessLimit: 2 },
      phases: [ok, bad, ok, ok, ok],
      want: ok,
      times: [0, 1, 2, 3],
    },
    {
      name: "is inconclusive when count ends before either limit",
      metric: { count: 4, interval: "1s", failureLimit: 2, consecutiveSuccessLimit: 2 },
      phases: [ok, bad, ok, bad],
      want: unclear,
    },
    {
      name: "is inconclusive beyond inconclusiveLimit",
      metric: { count: 3, interval: "1s", inconclusiveLimit: 1 },
      phases: [unclear, unclear],
      want: unclear,
      message: 'Metric "rate" assessed Inconclusive due to inconclusive (2) > inconclusiveLimit (1)',
    },
    {
      name: "tries again 10 s after an error, five times in a row at most",
      metric: { count: 1 },
      phases: [error, error, error, error, error],
      want: error,
      message: 'Metric "rate" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4)',
      times: [0, 10, 20, 30, 40],
    },
    {
      name: "does not count errors",
      metric: { count: 2, interval: "1m" },
      phases: [ok, error, ok],
      want: ok,
      times: [0, 60, 70],
    },
  ];
  for (const { name, metric: fields, phases, want, message, times } of cases) {
    it(name, () => {
      const played = play(runOf([metric(fields)]), { rate: phases });
      assert.equal(played.run.status?.phase, want);
      if (message !== undefined) assert.equal(played.run.status?.message, message);
      if (times !== undefined) assert.deepEqual(played.times, times);
    });
  }

  it("ends the other metrics when one has failed, and takes the worst", () => {
    const metrics = [metric({ name: "a", interval: "1s" }), metric({ name: "b", interval: "1s" })];
    const { run } = play(runOf(metrics), { a: [ok, ok], b: [ok, bad] });
    assert.equal(run.status?.phase, "Failed");
    assert.deepEqual(
      run.status?.metricResults?.map(({ phase }) => phase),
      ["Successful", "Failed"],
    );
    assert.deepEqual(run.status?.runSummary, { count: 2, successful: 1, failed: 1 });
  });

  it("does not care for the failures of a dry run", () => {
    const metrics = [metric({ name: "a" }), metric({ name: "latency-p99" })];
    const { run } = play(runOf(metrics, { dryRun: [{ metricName: "latency.*" }] }), { a: [ok], "latency-p99": [bad] });
    assert.equal(run.status?.phase, "Successful");
    assert.deepEqual(run.status?.dryRunSummary, { count: 1, failed: 1 });
    assert.equal(
      run.status?.metricResults?.[1]?.message,
      "Metric assessed Failed due to failed (1) > failureLimit (0)",
    );
  });

  it("is successful when it is ended before its first measurement", () => {
    const { run } = play(runOf([metric({ initialDelay: "1h" })], { terminate: true }), {});
    assert.equal(run.status?.phase, "Successful");
    assert.equal(run.status?.message, "Run Terminated");
  });

  it("keeps the last ten measurements, or as many as it is told", () => {
    const metrics = [
      metric({ name: "a", count: 12, interval: "1s" }),
      metric({ name: "b", count: 12, interval: "1s" }),
    ];
    const many = Array.from({ length: 12 }, () => ok);
    const rules = [{ metricName: "b", limit: 3 }];
    const { run } = play(runOf(metrics, { measurementRetention: rules }), { a: many, b: many });
    assert.deepEqual(
      run.status?.metricResults?.map((result) => [result.count, result.measurements?.length]),
      [
        [12, 10],
        [12, 3],
      ],
    );
  });

  const refused: readonly (readonly [string, AnalysisRun, RegExp])[] = [
    [
      "an arg nobody gave",
      runOf([metric({ successCondition: "{{args.x}} > 1" })]),
      /failed to resolve \{\{args\.x\}\}/,
    ],
    ["no provider", runOf([{ name: "a", provider: {} }]), /no provider specified/],
    [
      "a provider that is not supported",
      runOf([{ name: "a", provider: { web: {} } }]),
      /web: Forbidden: not supported yet/,
    ],
    ["a rule for no metric", runOf([metric()], { dryRun: [{ metricName: "nope" }] }), /dryRun\[0\]: Rule didn't match/],
    ["a condition that does not parse", runOf([metric({ successCondition: "result >" })]), /column 9: unexpected end/],
    ["several measurements at no interval", runOf([metric({ count: 2 })]), /interval must be specified when count > 1/],
  ];
  for (const [name, run, message] of refused) {
    it(`ends in Error for ${name}`, () => {
      const { status } = play(run, {}).run;
      assert.equal(status?.phase, "Error");
      assert.match(status?.message ?? "", message);
    });
  }

  it("is removed after its time to live, by its outcome", () => {
    const ttlStrategy = { secondsAfterCompletion: 100, secondsAfterFailure: 10 };
    const { run } = play(runOf([metric()], { ttlStrategy }), { rate: [bad] });
    assert.equal(planRun(run, noArgs, start.add({ seconds: 10 })).kind, "rest");
    assert.equal(planRun(run, noArgs, start.add({ seconds: 11 })).kind, "delete");
  });
});

describe("conditions of a metric", () => {
  const vector = (...values: number[]) => ({ kind: "vector", values }) as const;
  const scalar = (value: number) => ({ kind: "scalar", value }) as const;
  const cases = [
    [scalar(0), {}, "Successful"],
    [vector(0.99), { successCondition: "result[0] >= 0.95" }, "Successful"],
    [vector(0.9), { successCondition: "result[0] >= 0.95" }, "Failed"],
    [vector(0.9), { failureCondition: "result[0] > 0.95" }, "Successful"],
    [vector(0.99), { failureCondition: "result[0] > 0.95" }, "Failed"],
    [vector(5), { successCondition: "result[0] < 1", failureCondition: "result[0] > 9" }, "Inconclusive"],
    [vector(10), { successCondition: "result[0] > 1", failureCondition: "result[0] > 9" }, "Failed"],
    [vector(0.5), { successCondition: "result[0] < 1", failureCondition: "result[0] > 9" }, "Successful"],
    [vector(Number.NaN), { successCondition: "result[0] >= 0.95" }, "Failed"],
    [vector(Number.NaN), { successCondition: "isNaN(result[0]) || result[0] >= 0.95" }, "Successful"],
    [vector(), { successCondition: "len(result) == 0 || result[0] > 1" }, "Successful"],
    [vector(), { successCondition: "result[0] > 1" }, "Error"],
    [scalar(3), { successCondition: "asInt(result) == 3 && default(result, 0) == 3" }, "Successful"],
    [scalar(3), { successCondition: "result" }, "Error"],
    [scalar(3), { successCondition: "asFloat('x') > 1" }, "Error"],
  ] as const;
  for (const [result, fields, want] of cases) {
    it(`${printResult(result)} with ${JSON.stringify(fields)} is ${want}`, () => {
      assert.equal(judge(result, metric(fields)).phase, want);
    });
  }

  it("says that there were no data rather than that an index is out of range", () => {
    assert.equal(
      judge(vector(), metric({ successCondition: "result[0] > 1" })).message,
      'could not evaluate successCondition "result[0] > 1": metric result is nil or empty: no data returned from the metric provider',
    );
  });

  it("prints numbers as Prometheus does", () => {
    const printed = [0.5, 1e21, 1.5e-7, -2e-10, Number.NaN, Number.POSITIVE_INFINITY].map(printNumber);
    assert.deepEqual(printed, ["0.5", "1000000000000000000000", "0.00000015", "-0.0000000002", "NaN", "+Inf"]);
  });
});

describe("templates and args", () => {
  function template(name: string, spec: AnalysisTemplate["spec"]): AnalysisTemplate {
    return { apiVersion: "argoproj.io/v1alpha1", kind: "AnalysisTemplate", metadata: { name }, spec };
  }
  const find = (...all: AnalysisTemplate[]) => {
    return ({ templateName }: { templateName: string }) => all.find(({ metadata }) => metadata.name === templateName);
  };

  it("takes the metrics of nested templates once, and values only for args that are declared", () => {
    const inner = template("inner", { metrics: [metric({ name: "b" })], templates: [{ templateName: "outer" }] });
    const outer = template("outer", {
      metrics: [metric({ name: "a" })],
      args: [{ name: "service" }, { name: "limit", value: "1" }],
      templates: [{ templateName: "inner" }],
    });
    const args = [
      { name: "service", value: "web" },
      { name: "other", value: "x" },
    ];
    const made = runSpecOf({ templates: [{ templateName: "outer" }], args }, find(inner, outer));
    assert.ok(made.kind === "made");
    assert.deepEqual(
      made.value.metrics.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(made.value.args, [
      { name: "service", value: "web" },
      { name: "limit", value: "1" },
    ]);
  });

  const refused = [
    [
      "two metrics have the same name 'a'",
      [template("x", { metrics: [metric({ name: "a" })] }), template("y", { metrics: [metric({ name: "a" })] })],
    ],
    ["args.z was not resolved", [template("x", { metrics: [metric()], args: [{ name: "z" }] }), template("y", {})]],
    ["AnalysisTemplate 'y' not found", [template("x", { metrics: [metric()] })]],
  ] as const;
  for (const [message, templates] of refused) {
    it(`refuses: ${message}`, () => {
      const refs = [{ templateName: "x" }, { templateName: "y" }];
      assert.deepEqual(runSpecOf({ templates: refs, args: [] }, find(...templates)), { kind: "refused", message });
    });
  }

  it("fills args into values, so that quotes cannot break out", () => {
    const values = new Map([
      ["q", 'a"} or vector(1) #'],
      ["n", "5"],
    ]);
    const made = substitute(
      metric({ count: "{{ args.n }}", provider: { prometheus: { query: 'x{l="{{args.q}}"}' } } }),
      values,
    );
    assert.ok(made.kind === "made");
    assert.equal(made.value.count, "5");
    assert.equal(made.value.provider.prometheus?.query, 'x{l="a"} or vector(1) #"}');
  });

  it("reads args from the Rollout and from hashes", () => {
    const rollout = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Rollout",
      metadata: { name: "web", labels: { "app.io/name": "shop" } },
      spec: { selector: {}, strategy: {}, template: { spec: { containers: [{ name: "web", image: "i:1" }] } } },
    };
    const field = (fieldPath: string) => ({ name: "x", valueFrom: { fieldRef: { fieldPath } } });
    const read = (fieldPath: string) => argumentsOf([field(fieldPath)], rollout, { latest: "new", stable: "old" });
    assert.deepEqual(read("metadata.labels['app.io/name']"), { kind: "made", value: [{ name: "x", value: "shop" }] });
    assert.deepEqual(read("spec.template.spec.containers[0].image"), {
      kind: "made",
      value: [{ name: "x", value: "i:1" }],
    });
    assert.deepEqual(read("spec.template"), {
      kind: "refused",
      message: "path spec.template in rollout must terminate in a primitive value",
    });
    assert.equal(read("status.canary.weights.canary.weight").kind, "refused");
    const hash = { name: "h", valueFrom: { podTemplateHashValue: "Stable" as const } };
    assert.deepEqual(argumentsOf([hash], rollout, { latest: "new", stable: "old" }), {
      kind: "made",
      value: [{ name: "h", value: "old" }],
    });
  });
});
