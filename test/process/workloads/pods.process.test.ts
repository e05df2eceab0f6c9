import assert from "node:assert/strict";
import { test } from "node:test";
import { configMaps, endpointSlices, events, type Pod, pods, portMapAnnotation, services } from "#api";
import { createPod, isReady, podNamed, runCluster, type Running, scratch, serverSpec, until } from "./harness.ts";

const signal = AbortSignal.timeout(120_000);

function urlOf(pod: Pod | undefined, path = "/"): string {
  const map = JSON.parse(pod?.metadata.annotations?.[portMapAnnotation] ?? "{}") as Record<string, number>;
  return `http://127.0.0.1:${map["8080"]}${path}`;
}

async function podWhen(
  running: Running,
  name: string,
  wanted: (pod: Pod | undefined) => boolean,
): Promise<Pod | undefined> {
  return await until<Pod>(running, pods, name, wanted);
}

async function reasons(running: Running): Promise<string[]> {
  const list = await running.cluster.list(events, { signal });
  return list.items.map((event) => event.reason ?? "");
}

async function logOf(running: Running, pod: Pod, previous = false): Promise<string> {
  const chunks = await running.workloads.logs.logs(pod, { follow: false, timestamps: false, previous, signal });
  let text = "";
  for await (const chunk of chunks) text += Buffer.from(chunk).toString("utf8");
  return text;
}

test("a pod runs, is ready soon after it listens, serves, and ends gracefully when deleted", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  await createPod(
    running.cluster,
    podNamed(
      "web",
      serverSpec("1", {
        env: [
          { name: "VERSION", value: "1" },
          { name: "DELAY", value: "300" },
        ],
      }),
    ),
  );

  const ready = await podWhen(running, "web", isReady);

  assert.ok(ready);
  assert.equal(ready.status?.phase, "Running");
  assert.equal(ready.status?.podIP, "127.0.0.1");
  assert.equal(ready.spec.nodeName, "local");
  assert.match(((await (await fetch(urlOf(ready))).json()) as { version: string }).version, /1/);
  assert.equal(await logOf(running, ready), "listening\n");
  await running.cluster.delete(pods, { namespace: "default", name: "web" }, { signal });
  await podWhen(running, "web", (pod) => pod === undefined);
  await assert.rejects(fetch(urlOf(ready)));
  const seen = await reasons(running);
  for (const reason of ["Scheduled", "Pulled", "Created", "Started", "Killing"])
    assert.ok(seen.includes(reason), reason);
});

test("a deleted pod is stopped only after the routers let go of it", async () => {
  await using place = await scratch();
  const steps: string[] = [];
  const released = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const gate = {
    async awaitUnrouted(): Promise<void> {
      steps.push("asked");
      asked.resolve();
      await released.promise;
    },
  };
  await using running = await runCluster({ folder: place.folder, gate });
  await createPod(running.cluster, podNamed("web", serverSpec()));
  const pod = await podWhen(running, "web", isReady);

  await running.cluster.delete(pods, { namespace: "default", name: "web" }, { signal });
  await asked.promise;
  assert.equal((await fetch(urlOf(pod))).status, 200);
  released.resolve();

  await podWhen(running, "web", (present) => present === undefined);
  await assert.rejects(fetch(urlOf(pod)));
});

test("a container that crashes is restarted at once, then after a back-off, and its former log is kept", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const command = ["sh", "-c", "echo run; exit 3"];
  await createPod(running.cluster, podNamed("bad", { containers: [{ name: "app", image: "app:1", command }] }));

  const pod = await podWhen(
    running,
    "bad",
    (present) => present?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
  );

  const status = pod?.status?.containerStatuses?.[0];
  assert.equal(status?.restartCount, 1);
  assert.equal(status?.lastState?.terminated?.exitCode, 3);
  assert.match(status?.state?.waiting?.message ?? "", /^back-off 10s restarting failed container=app pod=bad_default/);
  assert.equal(pod?.status?.phase, "Running");
  assert.ok(pod && (await logOf(running, pod, true)) === "run\n");
});

test("a pod that need not run again has succeeded or failed", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const spec = (script: string): Pod["spec"] => ({
    restartPolicy: "Never",
    initContainers: [{ name: "first", image: "app:1", command: ["sh", "-c", "echo init"] }],
    containers: [{ name: "app", image: "app:1", command: ["sh", "-c", script] }],
  });
  await createPod(running.cluster, podNamed("good", spec("exit 0")));
  await createPod(running.cluster, podNamed("bad", spec("exit 4")));

  const good = await podWhen(running, "good", (pod) => pod?.status?.phase === "Succeeded");
  const bad = await podWhen(running, "bad", (pod) => pod?.status?.phase === "Failed");

  assert.equal(good?.status?.initContainerStatuses?.[0]?.state?.terminated?.reason, "Completed");
  assert.equal(bad?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 4);
});

test("a liveness probe that fails restarts the container", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const livenessProbe = { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1, failureThreshold: 1 };
  await createPod(running.cluster, podNamed("web", serverSpec("1", { livenessProbe })));
  const first = await podWhen(running, "web", isReady);
  await fetch(urlOf(first, "/fail"));

  const again = await podWhen(
    running,
    "web",
    (pod) => isReady(pod) && pod?.status?.containerStatuses?.[0]?.restartCount === 1,
  );

  assert.equal(urlOf(again), urlOf(first), "the port stays");
  assert.ok((await reasons(running)).includes("Unhealthy"));
});

test("a container waits for its ConfigMap and starts when it comes", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const spec = serverSpec("1", {
    env: [{ name: "VERSION", valueFrom: { configMapKeyRef: { name: "settings", key: "version" } } }],
  });
  await createPod(running.cluster, podNamed("web", spec));
  await podWhen(
    running,
    "web",
    (pod) => pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
  );
  const metadata = { name: "settings", namespace: "default" };

  await running.cluster.create(
    configMaps,
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { version: "from map" } },
    { signal },
  );

  const pod = await podWhen(running, "web", isReady);
  assert.equal(((await (await fetch(urlOf(pod))).json()) as { version: string }).version, "from map");
});

test("an image that is not there is told in the status", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  await createPod(running.cluster, podNamed("web", { containers: [{ name: "app", image: "missing/app:1" }] }));

  const pod = await podWhen(
    running,
    "web",
    (present) => present?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImagePull",
  );

  assert.match(
    pod?.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "",
    /manifest for "missing\/app:1" not found/,
  );
  assert.equal(pod?.status?.phase, "Pending");
});

test("a pod taken out of the store by force is ended", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  await createPod(running.cluster, podNamed("web", serverSpec()));
  const pod = await podWhen(running, "web", isReady);

  await running.cluster.delete(pods, { namespace: "default", name: "web" }, { gracePeriodSeconds: 0, signal });

  const events = running.runtime.events.subscribe(signal);
  while (running.runtime.list().some(({ state }) => state.kind === "running")) await events.next();
  await assert.rejects(fetch(urlOf(pod)));
});

test("endpoints follow readiness, with the port the pod really has", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
  await running.cluster.create(services, service, { signal });
  await createPod(running.cluster, podNamed("web", serverSpec()));
  const pod = await podWhen(running, "web", isReady);
  const slices = running.informers.for(endpointSlices);
  const ready = async (wanted: boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _subscription = slices.subscribe(({ object }) => {
      if (object.endpoints[0]?.conditions?.ready === wanted) resolve();
    });
    await promise;
  };
  await ready(true);
  const [slice] = slices.list("default");
  assert.equal(slice?.ports?.[0]?.port, Number(new URL(urlOf(pod)).port));
  assert.equal(slice?.metadata.labels?.["kubernetes.io/service-name"], "web");

  await fetch(urlOf(pod, "/fail"));
  await ready(false);
  await running.cluster.delete(pods, { namespace: "default", name: "web" }, { signal });
  await podWhen(running, "web", (present) => present === undefined);
});
