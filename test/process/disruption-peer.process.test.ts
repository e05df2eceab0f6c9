/** Disruption budgets beside upstream's own controller: over the same pods both count the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pod, type PodDisruptionBudget, podDisruptionBudgets, pods, type ReplicaSet, replicaSets } from "#api";
import { type Cluster, connectRemoteCluster, readKubeconfig } from "#kube";
import { silentLog, systemClock } from "#lib";
import { planBudget } from "../../src/workloads/disruption/plan-budget.ts";
import { startKubeApiserver } from "../support/kube-apiserver.ts";
import { skipWithout } from "../support/needs.ts";

const skip = skipWithout("kube-apiserver") || skipWithout("etcd") || skipWithout("kube-controller-manager");
const signal = AbortSignal.timeout(120_000);
const namespace = "default";
const image = "app:1";
const wanted = 5;

const specs: Record<string, Omit<PodDisruptionBudget["spec"], "selector">> = {
  "min-2": { minAvailable: 2 },
  "min-0": { minAvailable: 0 },
  "min-9": { minAvailable: 9 },
  "min-50": { minAvailable: "50%" },
  "min-33": { minAvailable: "33%" },
  "min-100": { minAvailable: "100%" },
  "max-1": { maxUnavailable: 1 },
  "max-3": { maxUnavailable: 3 },
  "max-0": { maxUnavailable: 0 },
  "max-50": { maxUnavailable: "50%" },
  "max-100": { maxUnavailable: "100%" },
};

async function makePods(cluster: Cluster, owner: ReplicaSet): Promise<void> {
  const { name, uid = "" } = owner.metadata;
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "ReplicaSet", name, uid, controller: true }];
  for (const [index, ready] of [true, true, true, false].entries()) {
    const metadata = { name: `web-${index}`, namespace, labels: { app: "web" }, ownerReferences };
    const spec = { nodeName: "n", containers: [{ name: "app", image }] };
    const pod = await cluster.create<Pod>(pods, { apiVersion: "v1", kind: "Pod", metadata, spec }, { signal });
    const conditions = [{ type: "Ready", status: ready ? "True" : "False" } as const];
    await cluster.updateStatus(pods, { ...pod, status: { phase: "Running", conditions } }, { signal });
  }
}

async function counted(cluster: Cluster, name: string): Promise<PodDisruptionBudget> {
  const options = { namespace, resourceVersion: "0", signal };
  for await (const event of cluster.watch(podDisruptionBudgets, options)) {
    if (event.type === "BOOKMARK" || event.object.metadata.name !== name) continue;
    if (event.object.status?.observedGeneration !== undefined) return event.object;
  }
  throw new Error(`nobody counted "${name}"`);
}

/** Without the moments. */
function facts(status: PodDisruptionBudget["status"]): unknown {
  const conditions = status?.conditions?.map(({ lastTransitionTime: _moment, ...condition }) => condition);
  return { ...status, conditions };
}

test("budgets in numbers and percentages, of pods some of which are not ready", { skip }, async () => {
  await using server = await startKubeApiserver({ controllers: ["disruption-controller"] });
  const connection = await readKubeconfig({ file: server.kubeconfig, env: {}, clock: systemClock });
  await using cluster = await connectRemoteCluster({
    connection,
    exactWeights: true,
    clock: systemClock,
    log: silentLog,
    signal,
  });
  const labels = { app: "web" };
  const set: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace },
    spec: {
      replicas: wanted,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "app", image }] } },
    },
  };
  await makePods(cluster, await cluster.create(replicaSets, set, { signal }));
  const { items } = await cluster.list(pods, { namespace, signal });
  for (const [name, spec] of Object.entries({ ...specs, none: { minAvailable: 0 } })) {
    const matchLabels = name === "none" ? { app: "nobody" } : labels;
    const budget: PodDisruptionBudget = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name, namespace },
      spec: { ...spec, selector: { matchLabels } },
    };
    await cluster.create(podDisruptionBudgets, budget, { signal });
    const theirs = await counted(cluster, name);
    const { status: _theirs, ...uncounted } = theirs;
    const own = planBudget({
      budget: uncounted,
      pods: name === "none" ? [] : items,
      scaleOf: () => wanted,
      nowMs: systemClock.now().epochMilliseconds,
    });
    assert.deepEqual(facts(own.status), facts(theirs.status), name);
  }
});
