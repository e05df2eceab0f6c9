/** What the controllers of rollouts do on a cluster, whichever it is. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  analysisRuns,
  analysisTemplates,
  type AnalysisTemplate,
  events,
  type KubeObject,
  replicaSets,
  type ResourceType,
  type Rollout,
  rollouts,
  type TrafficSplit,
  trafficSplits,
} from "#api";
import { type Cluster, isKubeError } from "#kube";
import { Informers } from "#controller";
import { silentLog, systemClock, systemIds, TaskGroup } from "#lib";
import { createEmbeddedTraffic, createRollouts, type MeasurePort, promoteFullPatch, promotePatch } from "./index.ts";

const namespace = "default";
const signal = AbortSignal.timeout(60_000);
const disposables: AsyncDisposableStack[] = [];

afterEach(async () => {
  await Promise.all(disposables.splice(0).map((stack) => stack.disposeAsync()));
});

interface Bench {
  readonly cluster: Cluster;
  /** The controllers, as one process would run them; `stop` is its death. */
  start(): { stop(): Promise<void> };
  /** Resolves with the object as soon as it is as wanted. */
  until<T extends KubeObject>(type: ResourceType<T>, name: string, wanted: (object: T) => boolean): Promise<T>;
  /** Success rates to be measured, the last one again and again. */
  readonly rates: number[];
  measured: number;
}

/** A fresh cluster, which the stack ends. */
export type OpenCluster = (stack: AsyncDisposableStack) => Promise<Cluster>;

let openCluster: OpenCluster;

/** A cluster with pods that come up at once and a router that confirms what it reads. */
async function bench(): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  disposables.push(stack);
  const common = { clock: systemClock, ids: systemIds, log: silentLog };
  const cluster = await openCluster(stack);
  const tasks = stack.use(new TaskGroup((error, name) => assert.fail(`${name}: ${String(error)}`)));
  tasks.start("pods", (ending) => servePods(cluster, ending));
  tasks.start("router", (ending) => confirmSplits(cluster, ending));
  const self: Bench = {
    cluster,
    rates: [],
    measured: 0,
    start() {
      const informers = new Informers({ cluster, ...common });
      const traffic = createEmbeddedTraffic({ cluster });
      const controllers = createRollouts({ cluster, informers, traffic, measure: measureOf(self), ...common });
      const ending = new AbortController();
      const running = controllers.run(ending.signal);
      let stopped: Promise<void> | undefined;
      const stop = async (): Promise<void> => {
        ending.abort();
        await running;
        await informers[Symbol.asyncDispose]();
      };
      const once = (): Promise<void> => (stopped ??= stop());
      stack.defer(once);
      return { stop: once };
    },
    until: (type, name, wanted) => until(cluster, type, name, wanted),
  };
  return self;
}

function measureOf(self: Bench): MeasurePort {
  return {
    query() {
      self.measured++;
      const rate = self.rates.length > 1 ? self.rates.shift() : self.rates[0];
      return Promise.resolve({ kind: "vector", values: [rate ?? 1] });
    },
  };
}

async function follow<T extends KubeObject>(
  cluster: Cluster,
  type: ResourceType<T>,
  ending: AbortSignal,
  seen: (object: T) => Promise<unknown>,
): Promise<void> {
  const { items, resourceVersion } = await cluster.list(type, { signal: ending });
  for (const item of items) await seen(item);
  for await (const event of cluster.watch(type, { resourceVersion, signal: ending })) {
    if (event.type === "ADDED" || event.type === "MODIFIED") await seen(event.object);
  }
}

async function servePods(cluster: Cluster, ending: AbortSignal): Promise<void> {
  await follow(cluster, replicaSets, ending, async (set) => {
    const replicas = set.spec.replicas ?? 1;
    const observedGeneration = set.metadata.generation ?? 1;
    if (set.status?.availableReplicas === replicas && set.status.observedGeneration === observedGeneration) return;
    const status = { replicas, readyReplicas: replicas, availableReplicas: replicas, observedGeneration };
    await cluster.updateStatus(replicaSets, { ...set, status }, { signal: ending }).catch(ignoreRace);
  });
}

async function confirmSplits(cluster: Cluster, ending: AbortSignal): Promise<void> {
  await follow(cluster, trafficSplits, ending, async (split) => {
    const observedGeneration = split.metadata.generation ?? 1;
    if (split.status?.observedGeneration === observedGeneration) return;
    await cluster
      .updateStatus(trafficSplits, { ...split, status: { observedGeneration } }, { signal: ending })
      .catch(ignoreRace);
  });
}

function ignoreRace(error: unknown): void {
  if (!isKubeError(error, "Conflict") && !isKubeError(error, "NotFound")) throw error;
}

async function until<T extends KubeObject>(
  cluster: Cluster,
  type: ResourceType<T>,
  name: string,
  wanted: (object: T) => boolean,
): Promise<T> {
  const found = new AbortController();
  const either = AbortSignal.any([found.signal, AbortSignal.timeout(20_000)]);
  let last: T | undefined;
  let result: T | undefined;
  await follow(cluster, type, either, async (object) => {
    if (object.metadata.name !== name || result !== undefined) return;
    last = object;
    if (!wanted(object)) return;
    result = object;
    found.abort();
  });
  assert.ok(result, `${type.kind} "${name}" never came to be as wanted: ${JSON.stringify(last, null, 1)}`);
  return result;
}

const template: AnalysisTemplate = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AnalysisTemplate",
  metadata: { name: "success-rate", namespace },
  spec: {
    metrics: [
      {
        name: "success-rate",
        interval: "100ms",
        count: 3,
        successCondition: "result[0] >= 0.95",
        provider: { prometheus: { query: "rate" } },
      },
    ],
  },
};

function web(image: string): Rollout {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "web", namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
      strategy: {
        canary: {
          steps: [
            { setWeight: 10 },
            { pause: { duration: "200ms" } },
            { analysis: { templates: [{ templateName: "success-rate" }] } },
            { setWeight: 50 },
            { setWeight: 100 },
          ],
        },
      },
    },
  };
}

async function install(self: Bench): Promise<Rollout> {
  await self.cluster.create(analysisTemplates, template, { signal });
  await self.cluster.create(rollouts, web("shop:v1"), { signal });
  return await self.until(rollouts, "web", ({ status }) => status?.phase === "Healthy");
}

async function release(self: Bench, image: string): Promise<void> {
  const patch = { spec: { template: { spec: { containers: [{ name: "web", image }] } } } };
  await self.cluster.patch(rollouts, { namespace, name: "web" }, { type: "merge", patch }, { signal });
}

function isPromoted({ status, metadata }: Rollout): boolean {
  return status?.phase === "Healthy" && status.observedGeneration === String(metadata.generation);
}

async function eventsOf(self: Bench, reason: string): Promise<{ message: string | undefined; count: number }[]> {
  const { items } = await self.cluster.list(events, { namespace, signal });
  return items.filter((one) => one.reason === reason).map(({ message, count = 1 }) => ({ message, count }));
}

async function podsByImage(self: Bench): Promise<Record<string, number>> {
  const { items } = await self.cluster.list(replicaSets, { namespace, signal });
  return Object.fromEntries(
    items.map(({ spec }) => [spec.template.spec.containers[0]?.image ?? "", spec.replicas ?? 1]),
  );
}

export function rolloutCases(name: string, open: OpenCluster): void {
  openCluster = open;
  void describe(name, () => {
    void it("promotes a good release through every weight", async () => {
      const self = await bench();
      self.start();
      const { status: before } = await install(self);
      const shares: number[] = [];
      const watching = new AbortController();
      const watched = follow(self.cluster, trafficSplits, watching.signal, ({ spec }: TrafficSplit) => {
        shares.push(100 - (spec.weights.find((one) => one.podTemplateHash === before?.stableRS)?.weight ?? 0));
        return Promise.resolve();
      });
      await release(self, "shop:v2");
      const done = await self.until(
        rollouts,
        "web",
        (one) => isPromoted(one) && one.status?.stableRS !== before?.stableRS,
      );
      watching.abort();
      await watched;
      assert.deepEqual([...new Set(shares)], [0, 10, 50, 100]);
      assert.deepEqual(await podsByImage(self), { "shop:v1": 0, "shop:v2": 2 });
      assert.equal(self.measured, 3);
      assert.equal(done.status?.currentStepIndex, 5);
      assert.deepEqual((await eventsOf(self, "RolloutStepCompleted")).length, 5);
      const run = await self.until(analysisRuns, `web-${done.status?.currentPodHash}-2-2`, () => true);
      assert.deepEqual(
        [run.status?.phase, run.status?.metricResults?.[0]?.measurements?.map(({ value }) => value)],
        ["Successful", ["[1]", "[1]", "[1]"]],
      );
    });

    void it("brings a bad release back within milliseconds of the verdict", async () => {
      const self = await bench();
      self.start();
      const { status: before } = await install(self);
      self.rates.push(0.5);
      await release(self, "shop:v2");
      let verdictAt = Number.POSITIVE_INFINITY;
      let name = "";
      await self.until(rollouts, "web", ({ status }) => {
        name = status?.canary?.currentStepAnalysisRunStatus?.name ?? name;
        return name !== "";
      });
      await self.until(analysisRuns, name, ({ status }) => status?.phase === "Failed");
      verdictAt = systemClock.monotonicMs();
      const onStable = ({ spec }: TrafficSplit): boolean =>
        spec.weights.length === 1 && spec.weights[0]?.podTemplateHash === before?.stableRS;
      await self.until(trafficSplits, "web", onStable);
      const tookMs = systemClock.monotonicMs() - verdictAt;
      const { status } = await self.until(
        rollouts,
        "web",
        (one) => one.status?.phase === "Degraded" && one.status.replicas === 2 && one.status.updatedReplicas === 0,
      );
      assert.ok(tookMs < 250, `${tookMs} ms from verdict to stable`);
      assert.equal(status?.abort, true);
      assert.match(
        status?.message ?? "",
        /^RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error\/failed: Metric "success-rate" assessed Failed due to failed \(1\) > failureLimit \(0\)$/,
      );
      assert.deepEqual(await podsByImage(self), { "shop:v1": 2, "shop:v2": 0 });
      assert.equal((await eventsOf(self, "RolloutAborted")).length, 1);
    });

    void it("goes on where a killed controller left off, and promotes exactly once", async () => {
      const self = await bench();
      const first = self.start();
      const { status: before } = await install(self);
      await first.stop();
      await release(self, "shop:v2");
      // Dies at every turn: as soon as the status has moved once.
      const moved: string[] = [];
      for (let life = 0; life < 12; life++) {
        const { stop } = self.start();
        const { status, metadata } = await self.until(
          rollouts,
          "web",
          (one) => !moved.includes(one.metadata.resourceVersion ?? "") || isDone(one),
        );
        await stop();
        moved.push(metadata.resourceVersion ?? "");
        if (status?.phase === "Healthy" && status.stableRS !== before?.stableRS) break;
      }
      self.start();
      function isDone(one: Rollout): boolean {
        return isPromoted(one) && one.status?.stableRS !== before?.stableRS;
      }
      await self.until(rollouts, "web", isDone);
      const { items } = await self.cluster.list(analysisRuns, { namespace, signal });
      assert.equal(items.length, 1);
      assert.deepEqual(await podsByImage(self), { "shop:v1": 0, "shop:v2": 2 });
      const completed = await eventsOf(self, "RolloutCompleted");
      assert.equal(completed.filter(({ message }) => message?.includes("revision 2") === true).length, 1);
    });

    void it("takes promotions from people: out of a pause, and in full", async () => {
      const self = await bench();
      self.start();
      await install(self);
      const steps = [{ setWeight: 20 }, { pause: {} }, { setWeight: 40 }, { pause: {} }];
      const key = { namespace, name: "web" };
      await self.cluster.patch(
        rollouts,
        key,
        { type: "merge", patch: { spec: { strategy: { canary: { steps } } } } },
        { signal },
      );
      await self.until(rollouts, "web", isPromoted);
      await release(self, "shop:v2");
      const paused = await self.until(
        rollouts,
        "web",
        (one) => one.status?.phase === "Paused" && one.status.currentStepIndex === 1,
      );
      assert.equal(paused.status?.canary?.weights?.canary.weight, 20);
      const go = { type: "merge", patch: { status: promotePatch(paused).status } } as const;
      await self.cluster.patch(rollouts, key, go, { signal, subresource: "status" });
      const again = await self.until(
        rollouts,
        "web",
        (one) => one.status?.phase === "Paused" && one.status.currentStepIndex === 3,
      );
      assert.equal(again.status?.canary?.weights?.canary.weight, 40);
      const all = { type: "merge", patch: { status: promoteFullPatch(again).status } } as const;
      await self.cluster.patch(rollouts, key, all, { signal, subresource: "status" });
      const done = await self.until(rollouts, "web", (one) => one.status?.phase === "Healthy");
      assert.equal(done.status?.stableRS, done.status?.currentPodHash);
      assert.deepEqual(await podsByImage(self), { "shop:v1": 0, "shop:v2": 2 });
    });
  });
}
