import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api";
import { countForPods, countForShare, countForValue, isWithinTolerance, type PodsQuestion } from "./replica-count.ts";
import { nowMs, podOf, podsOf, readingOf } from "./testing.ts";

interface Case {
  readonly name: string;
  readonly pods: readonly Pod[];
  readonly values: readonly (number | undefined)[];
  /** Per cent of the request, 100m each; or a plain average in thousandths. */
  readonly target: PodsQuestion["target"];
  readonly resource?: string;
  readonly current?: number;
  readonly measuredMs?: number;
  readonly want: number | string;
}

const percent = (value: number): PodsQuestion["target"] => ({ kind: "utilization", percent: value });
const average = (milli: number): PodsQuestion["target"] => ({ kind: "average", milli });

const cases: Case[] = [
  {
    name: "twice the target asks for twice the pods",
    pods: podsOf(3),
    values: [100, 100, 100],
    target: percent(50),
    want: 6,
  },
  { name: "half of it for half", pods: podsOf(4), values: [25, 25, 25, 25], target: percent(50), want: 2 },
  { name: "a part of a pod is a pod", pods: podsOf(3), values: [60, 60, 60], target: percent(50), want: 4 },
  { name: "within a tenth nothing is done", pods: podsOf(3), values: [55, 55, 55], target: percent(50), want: 3 },
  { name: "just over a tenth something is", pods: podsOf(3), values: [56, 56, 56], target: percent(50), want: 4 },
  {
    name: "an average counts without requests",
    pods: podsOf(2, { request: "" }),
    values: [400, 600],
    target: average(250),
    resource: "",
    want: 4,
  },
  {
    name: "a container that requests nothing cannot be measured by its request",
    pods: podsOf(2, { request: "" }),
    values: [1, 1],
    target: percent(50),
    want: "missing request for cpu in container app of Pod web-0",
  },
  {
    name: "no pods, no count",
    pods: [],
    values: [],
    target: percent(50),
    want: "no pods returned by selector while calculating replica count",
  },
  {
    name: "nor without a word of any pod",
    pods: podsOf(2),
    values: [],
    target: percent(50),
    want: "did not receive metrics for targeted pods (pods might be unready)",
  },
  {
    name: "missing pods count as idle when more are wanted",
    pods: podsOf(4),
    values: [100, 100],
    target: percent(50),
    want: 4,
  },
  {
    name: "so more than all of them are asked for only when the rest is that busy",
    pods: podsOf(4),
    values: [150, 150, 150],
    target: percent(50),
    current: 4,
    want: 9,
  },
  {
    name: "missing pods count as busy when fewer are wanted",
    pods: podsOf(4),
    values: [20, 20],
    target: percent(50),
    want: 4,
  },
  {
    name: "with an average they count as on target",
    pods: podsOf(4),
    values: [10, 10, 10],
    target: average(100),
    resource: "",
    want: 2,
  },
  {
    name: "pods that are not ready count as idle when more are wanted",
    pods: [...podsOf(2), podOf({ name: "web-2", ready: false, started: 20, changed: 20 })],
    values: [100, 100, 100],
    target: percent(50),
    want: 4,
  },
  {
    name: "and not at all when fewer are",
    pods: [...podsOf(2), podOf({ name: "web-2", ready: false, started: 20, changed: 20 })],
    values: [20, 20, 0],
    target: percent(50),
    want: 1,
  },
  {
    name: "a pod that begins is busy with beginning: what was measured before it was ready does not count",
    pods: [podOf({ name: "web-0", started: 60, changed: 10 })],
    values: [1000],
    target: percent(50),
    current: 1,
    want: "did not receive metrics for targeted pods (pods might be unready)",
  },
  {
    name: "what was measured since does",
    pods: [podOf({ name: "web-0", started: 60, changed: 30 })],
    values: [1000],
    target: percent(50),
    current: 1,
    want: 20,
  },
  {
    name: "pending pods are not ready",
    pods: [...podsOf(2), podOf({ name: "web-2", phase: "Pending" })],
    values: [75, 75],
    target: percent(50),
    want: 3,
  },
  {
    name: "pods on their way out and failed ones are left out",
    pods: [...podsOf(2), podOf({ name: "web-2", deleted: true }), podOf({ name: "web-3", phase: "Failed" })],
    values: [100, 100, 100, 100],
    target: percent(50),
    current: 2,
    want: 4,
  },
];

for (const { name, pods, values, target, resource = "cpu", current = pods.length, measuredMs = nowMs, want } of cases) {
  test(name, () => {
    const readings = readingOf(values, measuredMs).pods;
    const result = countForPods({ pods, readings, resource, container: "", target, currentReplicas: current, nowMs });
    assert.equal("problem" in result ? result.problem : result.count.replicas, want);
  });
}

test("a tenth either way is within, also where binary fractions are not", () => {
  assert.deepEqual([0.89, 0.9, 1.1, 1.11].map(isWithinTolerance), [false, true, true, false]);
});

test("a value for all asks for what its ready pods would need; a share for each for value by share", () => {
  assert.equal(countForValue(2000, 1000, 4, 3).replicas, 6);
  assert.equal(countForValue(2500, 1000, 0, 0).replicas, 3);
  assert.deepEqual(countForShare(9000, 2000, 3), { replicas: 5, average: 3000 });
  assert.equal(countForShare(6000, 2000, 3).replicas, 3);
});
