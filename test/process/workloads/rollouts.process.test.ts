import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { type Deployment, deployments, isPodReady, type Pod, pods, portMapAnnotation, replicaSets } from "#api";
import { isReady, podNamed, runCluster, type Running, scratch, serverSpec, until } from "./harness.ts";

const signal = AbortSignal.timeout(180_000);

function deploymentOf(version: string, spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: serverSpec(version) },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      ...spec,
    },
  };
}

async function rolledOut(running: Running, generation: number): Promise<Deployment | undefined> {
  return await until<Deployment>(
    running,
    deployments,
    "web",
    (present) =>
      present?.status?.observedGeneration === generation &&
      present.status.updatedReplicas === present.spec.replicas &&
      present.status.replicas === present.spec.replicas &&
      present.status.availableReplicas === present.spec.replicas,
    60_000,
  );
}

function activePods(running: Running): Pod[] {
  return running.informers
    .for(pods)
    .list("default")
    .filter((pod) => pod.metadata.deletionTimestamp === undefined);
}

function versionsOf(list: readonly Pod[]): (string | undefined)[] {
  return list.map((pod) => pod.spec.containers[0]?.env?.[0]?.value);
}

test("a rolling update replaces every pod with never fewer ready nor more in all than allowed, and can be undone", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  await running.cluster.create(deployments, deploymentOf("1"), { signal });
  await rolledOut(running, 1);
  const bounds = { leastReady: Infinity, mostPods: 0 };
  using _watching = running.informers.for(pods).subscribe(() => {
    const active = activePods(running);
    bounds.leastReady = Math.min(bounds.leastReady, active.filter(isPodReady).length);
    bounds.mostPods = Math.max(bounds.mostPods, active.length);
  });
  bounds.leastReady = Infinity;

  const template = { spec: { containers: deploymentOf("2").spec.template.spec.containers } };
  const key = { namespace: "default", name: "web" };
  await running.cluster.patch(deployments, key, { type: "merge", patch: { spec: { template } } }, { signal });
  const second = await rolledOut(running, 2);

  assert.deepEqual(bounds, { leastReady: 3, mostPods: 4 });
  assert.deepEqual(versionsOf(activePods(running)), ["2", "2", "2"]);
  assert.equal(second?.metadata.annotations?.["deployment.kubernetes.io/revision"], "2");
  const old = running.informers
    .for(replicaSets)
    .list("default")
    .find(({ spec }) => spec.replicas === 0);
  // What `kubectl rollout undo` does: the old template put back.
  await running.cluster.patch(
    deployments,
    key,
    { type: "json", patch: [{ op: "replace", path: "/spec/template/spec", value: old?.spec.template.spec }] },
    { signal },
  );
  const third = await rolledOut(running, 3);
  assert.deepEqual(versionsOf(activePods(running)), ["1", "1", "1"]);
  assert.equal(third?.metadata.annotations?.["deployment.kubernetes.io/revision"], "3");
  assert.equal(running.informers.for(replicaSets).list("default").length, 2);
  assert.equal(third?.status?.conditions?.find(({ type }) => type === "Progressing")?.reason, "NewReplicaSetAvailable");
});

test("Recreate ends every old pod before it starts a new one", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  await running.cluster.create(deployments, deploymentOf("1", { replicas: 2, strategy: { type: "Recreate" } }), {
    signal,
  });
  await rolledOut(running, 1);
  let mixed = false;
  using _watching = running.informers.for(pods).subscribe(() => {
    mixed ||= new Set(versionsOf(running.informers.for(pods).list("default"))).size > 1;
  });

  const template = { spec: { containers: serverSpec("2").containers } };
  const key = { namespace: "default", name: "web" };
  await running.cluster.patch(deployments, key, { type: "merge", patch: { spec: { template } } }, { signal });
  await rolledOut(running, 2);

  assert.equal(mixed, false);
  assert.deepEqual(versionsOf(activePods(running)), ["2", "2"]);
});

test("kill -9 of the control process: pods serve on, are adopted, none is restarted and none is made twice", async () => {
  await using place = await scratch();
  const control = spawn(process.execPath, [join(import.meta.dirname, "control.ts"), place.folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(control.stdout, "data");
  const names = JSON.parse(String((await once(control.stdout, "data"))[0])) as { url: string }[];
  const before = await Promise.all(names.map(async ({ url }) => await (await fetch(url)).text()));

  control.kill("SIGKILL");
  await once(control, "exit");
  const during = await Promise.all(names.map(async ({ url }) => await (await fetch(url)).text()));
  await using running = await runCluster(place);
  let unready = false;
  using _watching = running.informers.for(pods).subscribe(({ object }) => {
    unready ||= !isPodReady(object);
  });
  await rolledOut(running, 1);

  assert.deepEqual(during, before);
  const list = running.informers.for(pods).list("default");
  assert.equal(list.length, 2);
  assert.equal(unready, false, "no pod was unready at any time after the restart");
  assert.deepEqual(
    list.flatMap(({ status }) => status?.containerStatuses?.map(({ restartCount }) => restartCount)),
    [0, 0],
  );
  const after = await Promise.all(names.map(async ({ url }) => await (await fetch(url)).text()));
  assert.deepEqual(after, before);
});

test("a container that ended while nobody looked is seen with its exit code and started again", async () => {
  await using place = await scratch();
  const first = await runCluster(place);
  await first.cluster.create(pods, podNamed("web", serverSpec()), { signal });
  const pod = await until<Pod>(first, pods, "web", isReady);
  const map = JSON.parse(pod?.metadata.annotations?.[portMapAnnotation] ?? "{}") as Record<string, number>;
  await first[Symbol.asyncDispose]();
  await fetch(`http://127.0.0.1:${map["8080"]}/crash`).catch(() => {});

  await using second = await runCluster(place);

  const again = await until<Pod>(
    second,
    pods,
    "web",
    (present) => present?.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(present),
  );
  assert.equal(again?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 9);
  assert.equal(again?.metadata.annotations?.[portMapAnnotation], pod?.metadata.annotations?.[portMapAnnotation]);
});
