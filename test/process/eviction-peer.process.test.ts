/** Evictions beside the real API server: who is let go, who is refused and in which words, and what is left in the budget. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeApi, type KubeCall, type KubeReply, startOwnApi } from "../support/kube-api.ts";
import { comparable, differences } from "../support/kube-compare.ts";
import { skipWithoutPeer, startKubePeer } from "../support/kube-peer.ts";

const namespace = "/api/v1/namespaces/default";
const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
/** What a moment writes, and how an object is kept, are compared elsewhere. */
const left = new Set(["managedFields", "disruptedPods", "lastTransitionTime", "spec"]);

function post(path: string, object: unknown): KubeCall {
  return { method: "POST", path, body: JSON.stringify(object) };
}

function put(path: string, object: unknown): KubeCall {
  return { method: "PUT", path, body: JSON.stringify(object) };
}

function podOf(name: string): Record<string, unknown> {
  const containers = [{ name: "app", image: "app:1" }];
  const metadata = { name, namespace: "default", labels: { app: name } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { nodeName: "n", terminationGracePeriodSeconds: 5, containers },
  };
}

function budgetOf(name: string, app: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  const selector = { matchLabels: { app } };
  const metadata = { name, namespace: "default" };
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: { minAvailable: 1, selector, ...spec },
  };
}

function evict(name: string, more: Record<string, unknown> = {}, query = ""): KubeCall {
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "default" }, ...more };
  return post(`${namespace}/pods/${name}/eviction${query}`, eviction);
}

interface Case {
  readonly name: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
  readonly second?: boolean;
  readonly calls: (pod: string) => KubeCall[];
}

const healthy = { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1 };
const tight = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 };
const look = (pod: string): KubeCall[] => [{ path: `${namespace}/pods/${pod}` }, { path: `${budgets}/${pod}` }];

const cases: Case[] = [
  { name: "allowed", status: healthy, calls: (pod) => [evict(pod), ...look(pod), evict(pod)] },
  { name: "refused", status: tight, calls: (pod) => [evict(pod), ...look(pod)] },
  { name: "uncounted", status: { ...healthy, observedGeneration: 0 }, calls: (pod) => [evict(pod), ...look(pod)] },
  {
    name: "tried",
    status: healthy,
    calls: (pod) => [evict(pod, {}, "?dryRun=All"), evict(pod, { deleteOptions: { dryRun: ["All"] } }), ...look(pod)],
  },
  { name: "unready", ready: false, status: tight, calls: (pod) => [evict(pod), ...look(pod)] },
  { name: "sick", ready: false, status: { ...tight, currentHealthy: 0 }, calls: (pod) => [evict(pod), ...look(pod)] },
  {
    name: "let-go",
    ready: false,
    status: { ...tight, currentHealthy: 0 },
    spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" },
    calls: (pod) => [evict(pod), ...look(pod)],
  },
  { name: "ended", phase: "Succeeded", status: tight, calls: (pod) => [evict(pod), ...look(pod)] },
  { name: "pending", phase: "Pending", ready: false, status: tight, calls: (pod) => [evict(pod), ...look(pod)] },
  { name: "twice", status: healthy, second: true, calls: (pod) => [evict(pod)] },
  {
    name: "quick",
    status: healthy,
    calls: (pod) => [evict(pod, { deleteOptions: { gracePeriodSeconds: 1 } }), ...look(pod)],
  },
  {
    name: "mistaken",
    status: healthy,
    calls: (pod) => [
      evict(pod, { metadata: { name: "other", namespace: "default" } }),
      evict(pod, { deleteOptions: { preconditions: { uid: "other" } } }),
      evict("nobody"),
    ],
  },
];

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !left.has(key))
      .map(([key, inner]) => [key, strip(inner)]),
  );
}

async function prepare(
  api: KubeApi,
  { name, phase = "Running", ready = true, spec, status, second = false }: Case,
): Promise<void> {
  const made = await api.call(post(`${namespace}/pods`, podOf(name)));
  assert.equal(made.code, 201, JSON.stringify(made.json));
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  await expect(
    api,
    put(`${namespace}/pods/${name}/status`, { ...made.json, status: { qosClass: "BestEffort", phase, conditions } }),
  );
  for (const budget of second ? [name, `${name}-too`] : [name]) {
    const created = await api.call(post(budgets, budgetOf(budget, name, spec)));
    assert.equal(created.code, 201, JSON.stringify(created.json));
    await expect(api, put(`${budgets}/${budget}/status`, { ...created.json, status }));
  }
}

async function expect(api: KubeApi, call: KubeCall): Promise<KubeReply> {
  const reply = await api.call(call);
  assert.equal(reply.code, 200, JSON.stringify(reply.json));
  return reply;
}

test("the embedded API server evicts, and refuses to, as the real one does", { skip: skipWithoutPeer() }, async (t) => {
  await using peer = await startKubePeer();
  const own = await startOwnApi(t);
  for (const given of cases) {
    await prepare(own, given);
    await prepare(peer, given);
    for (const call of given.calls(given.name)) {
      const [ours, theirs] = [await own.call(call), await peer.call(call)];
      const asked = `${given.name}: ${call.method ?? "GET"} ${call.path}`;
      const said = [ours, theirs].map(({ code, json }) => `${code} ${JSON.stringify(json)}`).join("\n");
      assert.equal(ours.code, theirs.code, `${asked}\n${said}`);
      assert.equal(ours.headers["retry-after"], theirs.headers["retry-after"], asked);
      // A conflict names uids, which chance gives.
      if (ours.code === 409) continue;
      assert.deepEqual(differences(strip(comparable(ours.json)), strip(comparable(theirs.json))), [], asked);
    }
  }
});
