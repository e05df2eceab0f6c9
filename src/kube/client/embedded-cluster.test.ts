import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  type ConfigMap,
  configMaps,
  type Deployment,
  deployments,
  type KubeObject,
  namespaces,
  type Pod,
  pods,
  replicaSets,
  type ResourceType,
  secrets,
} from "#api";
import { silentLog } from "#lib";
import { ClockFake, idsFake } from "#lib/testing";
import { type EmbeddedCluster, openEmbeddedCluster } from "./embedded-cluster.ts";
import { isKubeError, type KubeReason } from "./kube-error.ts";

const { signal } = new AbortController();
const write = { signal };

function openCluster(t: TestContext): EmbeddedCluster {
  const cluster = openEmbeddedCluster({ file: ":memory:", clock: new ClockFake(), ids: idsFake(), log: silentLog });
  t.after(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

function configMap(name: string, data: Record<string, string> = {}, metadata: object = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", ...metadata }, data };
}

function deployment(name: string): Deployment {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  };
}

function pod(name: string, nodeName?: string): Pod {
  const spec = { containers: [{ name: "c", image: "i" }], ...(nodeName === undefined ? {} : { nodeName }) };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec };
}

function ownedBy(owner: KubeObject, blockOwnerDeletion = true): object {
  const { apiVersion, kind, metadata } = owner;
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", blockOwnerDeletion }] };
}

function refusal(reason: KubeReason, text: RegExp): (error: unknown) => boolean {
  return (error) => isKubeError(error, reason) && text.test((error as Error).message);
}

/** Resolves when the object is gone; the watch starts from now, so a deletion before it is seen too. */
async function goneFrom(cluster: EmbeddedCluster, type: ResourceType<KubeObject>, name: string): Promise<void> {
  const place = { namespace: "default", name };
  const { resourceVersion } = await cluster.list(type, { signal });
  if ((await cluster.get(type, place, { signal })) === undefined) return;
  for await (const event of cluster.watch(type, { resourceVersion, signal })) {
    if (event.type === "DELETED" && event.object.metadata.name === name) return;
  }
}

test("a write that changes nothing keeps the version and tells no watcher", async (t) => {
  const cluster = openCluster(t);
  const created = await cluster.create(configMaps, configMap("a", { k: "v" }), write);
  const watch = cluster.watch(configMaps, { resourceVersion: created.metadata.resourceVersion ?? "", signal });
  const patched = await cluster.patch(
    configMaps,
    created.metadata,
    { type: "merge", patch: { data: { k: "v" } } },
    write,
  );
  const updated = await cluster.update(configMaps, structuredClone(created), write);
  assert.equal(patched.metadata.resourceVersion, created.metadata.resourceVersion);
  assert.equal(updated.metadata.resourceVersion, created.metadata.resourceVersion);
  await cluster.create(configMaps, configMap("b"), write);
  const first = await watch[Symbol.asyncIterator]().next();
  assert.equal(first.value.object.metadata.name, "b");
});

test("a stale update is refused in upstream's words", async (t) => {
  const cluster = openCluster(t);
  const old = await cluster.create(configMaps, configMap("a"), write);
  await cluster.update(configMaps, { ...old, data: { k: "1" } }, write);
  await assert.rejects(
    cluster.update(configMaps, { ...old, data: { k: "2" } }, write),
    refusal("Conflict", /^Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply/),
  );
});

test("spec and status are written apart, and only the spec counts generations", async (t) => {
  const cluster = openCluster(t);
  const created = await cluster.create(deployments, { ...deployment("d"), status: { replicas: 9 } }, write);
  assert.equal(created.metadata.generation, 1);
  assert.equal(created.status?.replicas, undefined, "create ignores the status");
  const withStatus = await cluster.updateStatus(
    deployments,
    { ...created, spec: { ...created.spec, replicas: 5 }, status: { replicas: 2 } },
    write,
  );
  assert.deepEqual([withStatus.spec.replicas, withStatus.status?.replicas], [1, 2]);
  assert.equal(withStatus.metadata.generation, 1);
  const scaled = await cluster.update(
    deployments,
    { ...withStatus, spec: { ...withStatus.spec, replicas: 5 }, status: { replicas: 7 } },
    write,
  );
  assert.deepEqual([scaled.spec.replicas, scaled.status?.replicas, scaled.metadata.generation], [5, 2, 2]);
  const back = await cluster.patch(
    deployments,
    created.metadata,
    { type: "merge", patch: { spec: { replicas: 3 } } },
    { signal, subresource: "scale" },
  );
  assert.equal(back.spec.replicas, 3);
});

test("an object with finalizers goes when the last one is taken off", async (t) => {
  const cluster = openCluster(t);
  const created = await cluster.create(configMaps, configMap("a", {}, { finalizers: ["x/y"] }), write);
  await cluster.delete(configMaps, created.metadata, write);
  const waiting = await cluster.get(configMaps, created.metadata, { signal });
  assert.notEqual(waiting?.metadata.deletionTimestamp, undefined);
  const more = { type: "merge", patch: { metadata: { finalizers: ["x/y", "z"] } } } as const;
  await assert.rejects(
    cluster.patch(configMaps, created.metadata, more, write),
    refusal("Invalid", /no new finalizers can be added if the object is being deleted/),
  );
  await cluster.patch(
    configMaps,
    created.metadata,
    { type: "merge", patch: { metadata: { finalizers: null } } },
    write,
  );
  assert.equal(await cluster.get(configMaps, created.metadata, { signal }), undefined);
});

test("a pod that runs stays until its runner confirms; one nobody runs goes at once", async (t) => {
  const cluster = openCluster(t);
  await cluster.create(pods, pod("idle"), write);
  await cluster.create(pods, pod("running", "node"), write);
  const running = { namespace: "default", name: "running" };
  await cluster.delete(pods, { namespace: "default", name: "idle" }, write);
  await cluster.delete(pods, running, write);
  assert.equal(await cluster.get(pods, { namespace: "default", name: "idle" }, { signal }), undefined);
  const stays = await cluster.get(pods, running, { signal });
  assert.equal(stays?.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(stays?.metadata.deletionTimestamp, "2026-01-01T00:00:30Z");
  await cluster.delete(pods, running, { signal, gracePeriodSeconds: 0 });
  assert.equal(await cluster.get(pods, running, { signal }), undefined);
});

test("what an owner owns goes after it, through any depth", async (t) => {
  const cluster = openCluster(t);
  const owner = await cluster.create(configMaps, configMap("owner"), write);
  const middle = await cluster.create(configMaps, configMap("middle", {}, ownedBy(owner)), write);
  await cluster.create(configMaps, configMap("leaf", {}, ownedBy(middle)), write);
  await cluster.delete(configMaps, owner.metadata, { signal, propagationPolicy: "Background" });
  assert.equal(await cluster.get(configMaps, owner.metadata, { signal }), undefined, "the owner is gone at once");
  await goneFrom(cluster, configMaps, "leaf");
  assert.equal(await cluster.get(configMaps, middle.metadata, { signal }), undefined);
});

test("in the foreground the owner waits for what blocks it", async (t) => {
  const cluster = openCluster(t);
  const owner = await cluster.create(configMaps, configMap("owner"), write);
  await cluster.create(configMaps, configMap("kept", {}, { ...ownedBy(owner), finalizers: ["x/y"] }), write);
  await cluster.delete(configMaps, owner.metadata, { signal, propagationPolicy: "Foreground" });
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = await cluster.get(configMaps, owner.metadata, { signal });
  assert.deepEqual(waiting?.metadata.finalizers, ["foregroundDeletion"]);
  const kept = await cluster.get(configMaps, { namespace: "default", name: "kept" }, { signal });
  assert.notEqual(kept?.metadata.deletionTimestamp, undefined);
  const release = { type: "json", patch: [{ op: "remove", path: "/metadata/finalizers/0" }] } as const;
  await cluster.patch(configMaps, { namespace: "default", name: "kept" }, release, write);
  await goneFrom(cluster, configMaps, "owner");
});

test("orphans stay and forget their owner; with another owner left they only forget the one that went", async (t) => {
  const cluster = openCluster(t);
  const one = await cluster.create(configMaps, configMap("one"), write);
  const two = await cluster.create(
    secrets,
    { apiVersion: "v1", kind: "Secret", metadata: { name: "two", namespace: "default" } },
    write,
  );
  const both = {
    ownerReferences: [
      ...(ownedBy(one) as { ownerReferences: object[] }).ownerReferences,
      ...(ownedBy(two) as { ownerReferences: object[] }).ownerReferences,
    ],
  };
  await cluster.create(configMaps, configMap("shared", {}, both), write);
  await cluster.delete(configMaps, one.metadata, { signal, propagationPolicy: "Orphan" });
  await goneFrom(cluster, configMaps, "one");
  const shared = await cluster.get(configMaps, { namespace: "default", name: "shared" }, { signal });
  assert.deepEqual(
    shared?.metadata.ownerReferences?.map(({ name }) => name),
    ["two"],
  );
});

test("a namespace drains before it goes, and takes nothing new meanwhile", async (t) => {
  const cluster = openCluster(t);
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  await cluster.create(namespaces, namespace, write);
  const kept = configMap("kept", {}, { namespace: "shop", finalizers: ["x/y"] });
  await cluster.create(configMaps, kept, write);
  await cluster.create(configMaps, configMap("other", {}, { namespace: "shop" }), write);
  await cluster.delete(namespaces, { name: "shop" }, write);
  await assert.rejects(
    cluster.create(configMaps, configMap("late", {}, { namespace: "shop" }), write),
    refusal("Forbidden", /because it is being terminated/),
  );
  await goneFrom(cluster, configMaps, "other");
  assert.equal((await cluster.get(namespaces, { name: "shop" }, { signal }))?.status?.phase, "Terminating");
  const { resourceVersion } = await cluster.list(namespaces, { signal });
  const gone = cluster.watch(namespaces, { resourceVersion, signal })[Symbol.asyncIterator]().next();
  await cluster.patch(configMaps, kept.metadata, { type: "merge", patch: { metadata: { finalizers: null } } }, write);
  assert.equal((await gone).value.type, "DELETED");
  await assert.rejects(
    cluster.create(configMaps, configMap("late", {}, { namespace: "shop" }), write),
    refusal("NotFound", /^namespaces "shop" not found$/),
  );
  await assert.rejects(
    cluster.delete(namespaces, { name: "default" }, write),
    refusal("Forbidden", /may not be deleted/),
  );
});

test("what is invalid names every field, and is not stored", async (t) => {
  const cluster = openCluster(t);
  const broken = { ...deployment("d"), spec: { template: { spec: { containers: [{ image: "i" }] } } } };
  await assert.rejects(
    cluster.create(deployments, broken as unknown as Deployment, write),
    (error) =>
      refusal("Invalid", /^Deployment\.apps "d" is invalid: \[spec\.selector: Required value, /)(error) &&
      JSON.stringify(error).includes("spec.template.spec.containers[0].name"),
  );
  assert.equal((await cluster.list(deployments, { signal })).items.length, 0);
  assert.equal((await cluster.list(replicaSets, { signal })).items.length, 0);
});

test("a dry run answers what would be and stores nothing", async (t) => {
  const cluster = openCluster(t);
  const created = await cluster.create(configMaps, configMap("a", { k: "1" }), write);
  const would = await cluster.update(configMaps, { ...created, data: { k: "2" } }, { signal, dryRun: true });
  assert.equal(would.data?.["k"], "2");
  await cluster.delete(configMaps, created.metadata, { signal, dryRun: true });
  assert.equal((await cluster.get(configMaps, created.metadata, { signal }))?.data?.["k"], "1");
});

test("a refused secret does not show its value", async (t) => {
  const cluster = openCluster(t);
  const metadata = { name: "s", namespace: "default" };
  for (const fields of [{ stringData: { k: 8_675_309 } }, { data: { k: "8675309!" } }, { data: { k: [8_675_309] } }]) {
    const secret = { apiVersion: "v1", kind: "Secret", metadata, ...fields } as unknown as KubeObject;
    await assert.rejects(cluster.create(secrets, secret, write), (error: Error) => {
      assert.doesNotMatch(error.message + JSON.stringify(error), /8675309/);
      return /k/.test(error.message);
    });
  }
});
