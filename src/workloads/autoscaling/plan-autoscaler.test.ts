import assert from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscaler } from "#api";
import type { Memory } from "./behaviour.ts";
import { type AutoscalerObserved, type AutoscalerPlan, failedRescale, planAutoscaler } from "./plan-autoscaler.ts";
import { autoscalerOf, cpuMetric, nowMs, podsOf, readingOf } from "./testing.ts";

function observed(more: Partial<AutoscalerObserved> = {}): AutoscalerObserved {
  return {
    autoscaler: autoscalerOf(),
    nowMs,
    scale: { specReplicas: 3, statusReplicas: 3, selector: "app=web" },
    pods: podsOf(3),
    rivals: [],
    readings: [readingOf([50, 50, 50])],
    memory: undefined,
    ...more,
  };
}

function reasons({ status }: AutoscalerPlan): string[] {
  return (status.conditions ?? []).map((condition) => `${condition.type}=${condition.status} ${condition.reason}`);
}

const requests = {
  type: "Pods",
  pods: { metric: { name: "requests" }, target: { type: "AverageValue", averageValue: "10" } },
} as const;

const cases: {
  name: string;
  given: Partial<AutoscalerObserved>;
  to?: number;
  conditions: string[];
  events?: string[];
}[] = [
  {
    name: "on target nothing happens",
    given: {},
    conditions: [
      "AbleToScale=True ReadyForNewScale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
  },
  {
    name: "above it the target grows and says why",
    given: { readings: [readingOf([100, 100, 100])] },
    to: 6,
    conditions: [
      "AbleToScale=True SucceededRescale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
    events: ["SuccessfulRescale New size: 6; reason: cpu resource utilization (percentage of request) above target"],
  },
  {
    name: "below it the target waits five minutes",
    given: {
      readings: [readingOf([10, 10, 10])],
      memory: { recommendations: [{ replicas: 3, atMs: nowMs - 299_000 }], ups: [], downs: [] },
    },
    conditions: [
      "AbleToScale=True ScaleDownStabilized",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
  },
  {
    name: "and then shrinks",
    given: {
      readings: [readingOf([10, 10, 10])],
      memory: { recommendations: [{ replicas: 3, atMs: nowMs - 301_000 }], ups: [], downs: [] },
    },
    to: 1,
    conditions: [
      "AbleToScale=True SucceededRescale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
    events: ["SuccessfulRescale New size: 1; reason: All metrics below target"],
  },
  {
    name: "a target of no replicas is left alone",
    given: { scale: { specReplicas: 0, statusReplicas: 0, selector: "app=web" } },
    conditions: ["AbleToScale=True SucceededGetScale", "ScalingActive=False ScalingDisabled"],
  },
  {
    name: "too many replicas are put right without metrics",
    given: { autoscaler: autoscalerOf({ maxReplicas: 2 }), readings: [] },
    to: 2,
    conditions: ["AbleToScale=True SucceededRescale"],
    events: ["SuccessfulRescale New size: 2; reason: Current number of replicas above Spec.MaxReplicas"],
  },
  {
    name: "too few as well",
    given: { autoscaler: autoscalerOf({ minReplicas: 5 }), readings: [] },
    to: 5,
    conditions: ["AbleToScale=True SucceededRescale"],
    events: ["SuccessfulRescale New size: 5; reason: Current number of replicas below Spec.MinReplicas"],
  },
  {
    name: "a target that is not there is told",
    given: { scale: { problem: 'deployments.apps "web" not found' } },
    conditions: ["AbleToScale=False FailedGetScale"],
    events: ['FailedGetScale deployments.apps "web" not found'],
  },
  {
    name: "without metrics nothing is done",
    given: { readings: [{ kind: "error", message: "no metrics returned from resource metrics API" }] },
    conditions: ["AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetResourceMetric"],
    events: [
      "FailedGetResourceMetric failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
      "FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
    ],
  },
  {
    name: "of several metrics the highest count is taken",
    given: {
      autoscaler: autoscalerOf({ metrics: [cpuMetric, requests] }),
      readings: [readingOf([50, 50, 50]), readingOf([20_000, 20_000, 20_000])],
    },
    to: 6,
    conditions: [
      "AbleToScale=True SucceededRescale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
    events: ["SuccessfulRescale New size: 6; reason: pods metric requests above target"],
  },
  {
    name: "a metric that is missing does not keep the others from growing it",
    given: {
      autoscaler: autoscalerOf({ metrics: [cpuMetric, requests] }),
      readings: [readingOf([100, 100, 100]), { kind: "error", message: "none" }],
    },
    to: 6,
    conditions: [
      "AbleToScale=True SucceededRescale",
      "ScalingActive=True ValidMetricFound",
      "ScalingLimited=False DesiredWithinRange",
    ],
    events: [
      "FailedGetPodsMetric unable to get metric requests: none",
      "SuccessfulRescale New size: 6; reason: cpu resource utilization (percentage of request) above target",
    ],
  },
  {
    name: "but from shrinking it",
    given: {
      autoscaler: autoscalerOf({ metrics: [cpuMetric, requests] }),
      readings: [readingOf([10, 10, 10]), { kind: "error", message: "none" }],
      memory: { recommendations: [], ups: [], downs: [] },
    },
    conditions: ["AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetPodsMetric"],
    events: [
      "FailedGetPodsMetric unable to get metric requests: none",
      "FailedComputeMetricsReplicas invalid metrics (1 invalid out of 2), first error is: failed to get pods metric value: unable to get metric requests: none",
    ],
  },
  {
    name: "two autoscalers of the same pods do nothing",
    given: { rivals: ["other", "web"] },
    conditions: ["AbleToScale=True SucceededGetScale", "ScalingActive=False AmbiguousSelector"],
    events: [
      "AmbiguousSelector pods by selector app=web are controlled by multiple HPAs: [other web]",
      "FailedComputeMetricsReplicas pods by selector app=web are controlled by multiple HPAs: [other web]",
    ],
  },
  {
    name: "a target without a selector cannot be measured",
    given: { scale: { specReplicas: 3, statusReplicas: 3, selector: "" }, pods: [] },
    conditions: ["AbleToScale=True SucceededGetScale", "ScalingActive=False InvalidSelector"],
    events: ["SelectorRequired selector is required", "FailedComputeMetricsReplicas selector is required"],
  },
];

for (const { name, given, to, conditions, events = [] } of cases) {
  test(name, () => {
    const plan = planAutoscaler(observed(given));
    assert.deepEqual(reasons(plan), conditions);
    assert.equal(plan.rescale?.to, to);
    assert.deepEqual(
      plan.events.map(({ reason, message }) => `${reason} ${message}`),
      events,
    );
  });
}

test("the status tells what was measured", () => {
  const { status } = planAutoscaler(observed({ readings: [readingOf([40, 50, 60])] }));
  const current = { averageUtilization: 50, averageValue: "50m" };
  assert.deepEqual(status.currentMetrics, [{ type: "Resource", resource: { name: "cpu", current } }]);
  assert.equal(status.currentReplicas, 3);
  assert.equal(status.desiredReplicas, 3);
  assert.equal(status.lastScaleTime, undefined);
});

test("a target that takes no replicas is told, and counts as not scaled", () => {
  const given = observed({ readings: [readingOf([100, 100, 100])] });
  const failed = failedRescale(given, planAutoscaler(given), "the server is away");
  assert.equal(failed.status.desiredReplicas, 3);
  assert.equal(failed.status.lastScaleTime, undefined);
  assert.equal(reasons(failed)[0], "AbleToScale=False FailedUpdateScale");
  assert.match(failed.events[0]?.message ?? "", /^New size: 6; reason: .* above target; error: the server is away$/);
});

test("an object's value and an outside one are told as they were found", () => {
  const target = { type: "Value", value: "100" } as const;
  const describedObject = { apiVersion: "v1", kind: "Service", name: "web" };
  const autoscaler = autoscalerOf({
    metrics: [
      { type: "Object", object: { describedObject, metric: { name: "queue" }, target } },
      {
        type: "External",
        external: { metric: { name: "jobs" }, target: { type: "AverageValue", averageValue: "10" } },
      },
    ],
  });
  const readings = [
    { kind: "values", values: [100_000] } as const,
    { kind: "values", values: [30_000, 20_000] } as const,
  ];
  const plan = planAutoscaler(observed({ autoscaler, readings }));
  assert.equal(plan.rescale?.to, 5);
  assert.deepEqual(
    plan.status.currentMetrics?.map((metric) => metric?.object?.current ?? metric?.external?.current),
    [{ value: "100" }, { averageValue: "16667m" }],
  );
});

interface Simulated {
  readonly replicas: readonly number[];
}

/** Looks every 15 s at pods that share `load` among themselves; a change of replicas is there at the next look. */
function simulate(spec: Partial<HorizontalPodAutoscaler["spec"]>, load: readonly number[]): Simulated {
  let replicas = 1;
  let memory: Memory | undefined;
  const seen: number[] = [];
  for (const [step, cpu] of load.entries()) {
    const atMs = nowMs + step * 15_000;
    const readings = [
      readingOf(
        Array.from({ length: replicas }, () => Math.floor(cpu / replicas)),
        atMs,
      ),
    ];
    const scale = { specReplicas: replicas, statusReplicas: replicas, selector: "app=web" };
    const plan = planAutoscaler(
      observed({ autoscaler: autoscalerOf(spec), nowMs: atMs, scale, pods: podsOf(replicas), readings, memory }),
    );
    memory = plan.memory;
    replicas = plan.rescale?.to ?? replicas;
    seen.push(replicas);
  }
  return { replicas: seen };
}

test("a burst is met within a minute, and let go five minutes after it ended", () => {
  const load = [50, ...Array.from({ length: 8 }, () => 400), ...Array.from({ length: 30 }, () => 50)];
  const { replicas } = simulate({}, load);
  assert.deepEqual(replicas.slice(0, 5), [1, 4, 8, 8, 8]);
  // 400m was last seen at look 8; look 28 is five minutes later.
  assert.equal(replicas[28], 8);
  assert.equal(replicas[29], 1);
});

test("policies let it grow and shrink by their rates in virtual time", () => {
  const behavior = {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [{ type: "Pods", value: 2, periodSeconds: 30 }],
    },
    scaleDown: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
    },
  } as const;
  const load = [...Array.from({ length: 8 }, () => 400), ...Array.from({ length: 12 }, () => 50)];
  const { replicas } = simulate({ behavior: structuredClone(behavior) as never }, load);
  assert.deepEqual(replicas.slice(0, 8), [3, 3, 5, 5, 7, 7, 8, 8]);
  // A minute before look 8 there were 7: upstream's policies count from where their period began.
  assert.deepEqual(replicas.slice(8), [6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4]);
});
