import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScalingRules } from "#api";
import { applyBehaviour, type Limits, type Memory, remember } from "./behaviour.ts";
import { nowMs } from "./testing.ts";

const empty: Memory = { recommendations: [], ups: [], downs: [] };
const before = (seconds: number): number => nowMs - seconds * 1000;
const recommended = (...list: [number, number][]): Memory => ({
  ...empty,
  recommendations: list.map(([replicas, seconds]) => ({ replicas, atMs: before(seconds) })),
});
const up = (rules: ScalingRules): Limits["behavior"] => ({
  scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [], ...rules },
  scaleDown: { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
});
const down = (rules: ScalingRules): Limits["behavior"] => ({
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  },
  scaleDown: { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }], ...rules },
});
const pods = (value: number, periodSeconds = 60): NonNullable<ScalingRules["policies"]>[0] => ({
  type: "Pods",
  value,
  periodSeconds,
});
const share = (value: number, periodSeconds = 60): NonNullable<ScalingRules["policies"]>[0] => ({
  type: "Percent",
  value,
  periodSeconds,
});

interface Case {
  readonly name: string;
  readonly wanted: number;
  readonly limits?: Partial<Limits>;
  readonly memory?: Memory;
  /** `replicas able limited` */
  readonly want: string;
}

const fine = "ReadyForNewScale DesiredWithinRange";
const cases: Case[] = [
  { name: "what is asked for within the limits is given", wanted: 6, want: `6 ${fine}` },
  {
    name: "never more than the maximum",
    wanted: 50,
    limits: { current: 9 },
    want: "10 ReadyForNewScale TooManyReplicas",
  },
  { name: "never less than the minimum", wanted: 1, limits: { min: 2 }, want: "2 ReadyForNewScale TooFewReplicas" },
  { name: "at most double at once", wanted: 10, limits: { current: 3 }, want: "6 ReadyForNewScale ScaleUpLimit" },
  { name: "but up to four", wanted: 10, limits: { current: 1 }, want: "4 ReadyForNewScale ScaleUpLimit" },
  {
    name: "down only to the highest of five minutes",
    wanted: 2,
    memory: recommended([5, 200], [3, 100]),
    want: "5 ScaleDownStabilized DesiredWithinRange",
  },
  {
    name: "what is older does not count",
    wanted: 2,
    memory: recommended([5, 301], [3, 100]),
    want: "3 ScaleDownStabilized DesiredWithinRange",
  },
  {
    name: "a window for going up takes the lowest of it",
    wanted: 8,
    limits: { behavior: up({ stabilizationWindowSeconds: 60, policies: [pods(10)] }) },
    memory: recommended([6, 30]),
    want: "6 ScaleUpStabilized DesiredWithinRange",
  },
  {
    name: "a window for going down of its own",
    wanted: 1,
    limits: { behavior: down({ stabilizationWindowSeconds: 60 }) },
    memory: recommended([4, 100], [3, 30]),
    want: "3 ScaleDownStabilized DesiredWithinRange",
  },
  {
    name: "no window, no waiting",
    wanted: 1,
    limits: { behavior: down({ stabilizationWindowSeconds: 0 }) },
    memory: recommended([4, 1]),
    want: `1 ${fine}`,
  },
  {
    name: "a policy says how many more in its period",
    wanted: 9,
    limits: { behavior: up({ policies: [pods(2)] }) },
    want: "7 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "what was added in the period counts",
    wanted: 9,
    limits: { behavior: up({ policies: [pods(2)] }) },
    memory: { ...empty, ups: [{ replicas: 2, atMs: before(30) }] },
    want: "5 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "of several policies the one that changes most",
    wanted: 9,
    limits: { behavior: up({ policies: [pods(1), share(50)] }) },
    want: "8 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "or least, where that is chosen",
    wanted: 9,
    limits: { behavior: up({ selectPolicy: "Min", policies: [pods(1), share(50)] }) },
    want: "6 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "Disabled goes nowhere",
    wanted: 9,
    limits: { behavior: up({ selectPolicy: "Disabled" }) },
    want: "5 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "down by a tenth a minute",
    wanted: 2,
    limits: { current: 10, behavior: down({ stabilizationWindowSeconds: 0, policies: [share(10)] }) },
    want: "9 ReadyForNewScale ScaleDownLimit",
  },
  {
    name: "down by the policy that leaves most, where that is chosen",
    wanted: 1,
    limits: {
      current: 8,
      behavior: down({ stabilizationWindowSeconds: 0, selectPolicy: "Min", policies: [pods(1), share(50)] }),
    },
    want: "7 ReadyForNewScale ScaleDownLimit",
  },
];

for (const { name, wanted, limits, memory = empty, want } of cases) {
  test(name, () => {
    const all: Limits = { current: 5, min: 1, max: 10, nowMs, behavior: undefined, ...limits };
    const { replicas, able, limited } = applyBehaviour(wanted, all, memory);
    assert.equal(`${replicas} ${able.reason} ${limited.reason}`, want);
    assert.equal(limited.status, limited.reason === "DesiredWithinRange" ? "False" : "True");
  });
}

test("a change is remembered as long as a policy asks about it", () => {
  const behavior = up({ policies: [pods(2, 60)] });
  const limits: Limits = { current: 5, min: 1, max: 10, nowMs, behavior };
  const old: Memory = {
    ...empty,
    ups: [
      { replicas: 1, atMs: before(61) },
      { replicas: 3, atMs: before(59) },
    ],
  };
  assert.deepEqual(remember(old, 5, 7, limits).ups, [
    { replicas: 3, atMs: before(59) },
    { replicas: 2, atMs: nowMs },
  ]);
  assert.deepEqual(remember(empty, 5, 3, limits).downs, [{ replicas: 2, atMs: nowMs }]);
});
