/** What a node does for a pod beyond starting it: order, hooks, last words, volumes that change, and placing. */
import assert from "node:assert/strict";
import { mkdir, readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  type ConfigMap,
  configMaps,
  type Container,
  events,
  nodes,
  type Pod,
  pods,
  type PodSpec,
  serviceAccounts,
} from "#api";
import { createPod, isReady, podNamed, runCluster, type Running, scratch, until } from "./harness.ts";

const signal = AbortSignal.timeout(120_000);

async function podWhen(
  running: Running,
  name: string,
  wanted: (pod: Pod | undefined) => boolean,
): Promise<Pod | undefined> {
  return await until<Pod>(running, pods, name, wanted);
}

async function messages(running: Running, reason: string): Promise<string[]> {
  const { items } = await running.cluster.list(events, { namespace: "default", signal });
  return items.filter((event) => event.reason === reason).map(({ message = "" }) => message);
}

async function eventOf(running: Running, reason: string): Promise<void> {
  const informer = running.informers.for(events);
  const { promise, resolve } = Promise.withResolvers<void>();
  using _subscription = informer.subscribe(({ object }) => {
    if (object.reason === reason) resolve();
  });
  await promise;
}

async function end(running: Running, name: string): Promise<void> {
  await running.cluster.delete(pods, { namespace: "default", name }, { signal });
  await podWhen(running, name, (pod) => pod === undefined);
}

/** A shell that says what happens to it in the pod's diary. */
function diarist(name: string, more: Partial<Container> = {}): Container {
  const script = `trap 'echo ${name} stops >> diary/log; exit 0' TERM; echo ${name} runs >> diary/log; while :; do sleep 0.05; done`;
  return {
    name,
    image: "app:1",
    command: ["sh", "-c", script],
    volumeMounts: [{ name: "diary", mountPath: "/diary" }],
    ...more,
  };
}

const writes = (text: string): string[] => ["sh", "-c", `echo ${text} >> diary/log`];

interface Diary {
  readonly path: string;
  read(): Promise<string[]>;
  /** Waits until it says so. */
  written(line: string): Promise<void>;
}

async function diaryFolder(folder: string): Promise<Diary> {
  const path = join(folder, "diary");
  await mkdir(path);
  await writeFile(join(path, "log"), "");
  const read = async (): Promise<string[]> => (await readFile(join(path, "log"), "utf8")).trim().split("\n");
  return {
    path,
    read,
    async written(line) {
      for await (const _change of watch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]) })) {
        if ((await read()).includes(line)) return;
      }
    },
  };
}

test("sidecars start before what comes after them, and end after the containers, the last one first", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const diary = await diaryFolder(place.folder);
  const beginsLate = { exec: { command: ["test", "-e", "diary/open"] }, periodSeconds: 1, failureThreshold: 60 };
  const spec: PodSpec = {
    terminationGracePeriodSeconds: 20,
    volumes: [{ name: "diary", hostPath: { path: diary.path } }],
    initContainers: [
      diarist("first", { restartPolicy: "Always", startupProbe: beginsLate }),
      diarist("setup", { command: ["sh", "-c", "echo setup >> diary/log"] }),
      diarist("second", { restartPolicy: "Always" }),
    ],
    containers: [diarist("main")],
  };
  const firstRuns = diary.written("first runs");
  const mainRuns = diary.written("main runs");
  await createPod(running.cluster, podNamed("web", spec));
  await firstRuns;
  const waiting = await podWhen(
    running,
    "web",
    (pod) => pod?.status?.initContainerStatuses?.[0]?.state?.running !== undefined,
  );
  assert.equal(waiting?.status?.phase, "Pending");
  assert.deepEqual(await diary.read(), ["first runs"]);
  await writeFile(join(diary.path, "open"), "");
  const ready = await podWhen(running, "web", isReady);
  await mainRuns;
  assert.deepEqual(
    ready?.status?.initContainerStatuses?.map(({ started, ready: up }) => [started, up]),
    [
      [true, true],
      [false, true],
      [true, true],
    ],
  );

  await end(running, "web");

  const said = await diary.read();
  assert.deepEqual(said.slice(0, 2), ["first runs", "setup"]);
  assert.deepEqual(said.slice(-3), ["main stops", "second stops", "first stops"]);
});

test("hooks run after the start and before the stop signal, inside the grace", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const diary = await diaryFolder(place.folder);
  const lifecycle = {
    postStart: { exec: { command: writes("postStart") } },
    preStop: { exec: { command: writes("preStop") } },
  };
  const volumes = [{ name: "diary", hostPath: { path: diary.path } }];
  const written = [diary.written("main runs"), diary.written("postStart")];
  await createPod(running.cluster, podNamed("web", { volumes, containers: [diarist("main", { lifecycle })] }));
  await podWhen(running, "web", isReady);
  await Promise.all(written);
  await end(running, "web");
  const said = await diary.read();
  assert.deepEqual(said.slice(-2), ["preStop", "main stops"]);
  assert.deepEqual(said.slice(0, 2).sort(), ["main runs", "postStart"]);
});

test("a postStart hook that fails ends the container, and its output stays out of the events", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const lifecycle = { postStart: { exec: { command: ["sh", "-c", "echo secret; exit 3"] } } };
  const containers = [{ name: "app", image: "app:1", command: ["sleep", "60"], lifecycle }];
  await createPod(
    running.cluster,
    podNamed("web", { restartPolicy: "Never", terminationGracePeriodSeconds: 2, containers }),
  );
  await podWhen(running, "web", (pod) => pod?.status?.phase === "Failed");
  assert.deepEqual(await messages(running, "FailedPostStartHook"), ["PostStartHook failed"]);
});

test("what a container leaves behind, or logged last, is told as why it ended", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const app = { name: "app", image: "app:1", terminationMessagePath: "/why" };
  const script = (text: string): string[] => ["sh", "-c", text];
  await createPod(
    running.cluster,
    podNamed("file", {
      restartPolicy: "Never",
      containers: [{ ...app, command: script("echo no database > why; exit 1") }],
    }),
  );
  const fallback = { terminationMessagePolicy: "FallbackToLogsOnError", command: script("echo it broke; exit 1") };
  await createPod(running.cluster, podNamed("log", { restartPolicy: "Never", containers: [{ ...app, ...fallback }] }));
  const messageOf = (pod: Pod | undefined): string | undefined =>
    pod?.status?.containerStatuses?.[0]?.state?.terminated?.message;
  assert.equal(messageOf(await podWhen(running, "file", (pod) => pod?.status?.phase === "Failed")), "no database\n");
  assert.equal(messageOf(await podWhen(running, "log", (pod) => pod?.status?.phase === "Failed")), "it broke\n");
});

test("a running container sees its ConfigMap, its labels and its account's token change", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const { cluster } = running;
  const settings: ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "settings", namespace: "default" },
    data: { level: "info" },
  };
  await cluster.create(configMaps, settings, { signal });
  await until(running, serviceAccounts, "default", (account) => account !== undefined);
  const fieldRef = { fieldPath: "metadata.labels['tier']" };
  const script = `
    cat config/level; echo; head -c 3 var/run/secrets/kubernetes.io/serviceaccount/token; echo
    cat var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; touch begun
    while [ "$(cat config/level)" != debug ]; do sleep 0.02; done
    while [ "$(cat me/tier)" != back ]; do sleep 0.02; done
    echo seen`;
  const spec: PodSpec = {
    restartPolicy: "Never",
    volumes: [
      { name: "config", configMap: { name: "settings" } },
      { name: "me", downwardAPI: { items: [{ path: "tier", fieldRef }] } },
    ],
    containers: [
      {
        name: "app",
        image: "app:1",
        command: ["sh", "-c", script],
        readinessProbe: { exec: { command: ["test", "-e", "begun"] } },
        volumeMounts: [
          { name: "config", mountPath: "/config" },
          { name: "me", mountPath: "/me" },
        ],
      },
    ],
  };
  await createPod(cluster, podNamed("web", spec, { tier: "front" }));
  await podWhen(running, "web", isReady);
  const key = { namespace: "default", name: "settings" };
  await cluster.patch(configMaps, key, { type: "merge", patch: { data: { level: "debug" } } }, { signal });
  const labels = { metadata: { labels: { tier: "back" } } };
  await cluster.patch(pods, { namespace: "default", name: "web" }, { type: "merge", patch: labels }, { signal });
  const done = await podWhen(running, "web", (pod) => pod?.status?.phase === "Succeeded");
  const chunks: Uint8Array[] = [];
  const request = { follow: false, timestamps: false, previous: false, signal };
  for await (const chunk of await running.workloads.logs.logs(done as Pod, request)) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).toString("utf8"), "info\neyJ\ndefault\nseen\n");
});

test("a volume that waits for its ConfigMap keeps the pod creating, and is told", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const volumes = [{ name: "config", configMap: { name: "later" } }];
  await createPod(
    running.cluster,
    podNamed("web", { volumes, containers: [{ name: "app", image: "app:1", command: ["sleep", "60"] }] }),
  );
  const reasonOf = (pod: Pod | undefined): string | undefined =>
    pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
  await eventOf(running, "FailedMount");
  await podWhen(running, "web", (pod) => reasonOf(pod) === "ContainerCreating");
  const later: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "later", namespace: "default" } };
  await running.cluster.create(configMaps, later, { signal });
  await podWhen(running, "web", isReady);
  assert.deepEqual(await messages(running, "FailedMount"), [
    'MountVolume.SetUp failed for volume "config" : configmap "later" not found',
  ]);
});

test("until the startup probe has succeeded no other is asked, and failures are told in kubelet's words", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const script = `require("http").createServer((q, r) => {
    console.log(q.url); r.statusCode = q.url === "/startup" || Date.now() < start + 2500 ? 500 : 200; r.end();
  }).listen(process.env.PORT, "127.0.0.1"); const start = Date.now();`;
  const get = (path: string): { httpGet: { path: string; port: string }; periodSeconds: number } => ({
    httpGet: { path, port: "http" },
    periodSeconds: 1,
  });
  const app: Container = {
    name: "app",
    image: "app:1",
    command: ["node", "-e", script],
    ports: [{ name: "http", containerPort: 8080 }],
    startupProbe: { ...get("/startup"), failureThreshold: 2, terminationGracePeriodSeconds: 1 },
    readinessProbe: get("/ready"),
    livenessProbe: get("/live"),
  };
  await createPod(running.cluster, podNamed("web", { containers: [app] }));
  const again = await podWhen(running, "web", (pod) => pod?.status?.containerStatuses?.[0]?.restartCount === 1);
  assert.equal(again?.status?.containerStatuses?.[0]?.started, false);
  assert.deepEqual(await messages(running, "Unhealthy"), [
    "Startup probe failed: HTTP probe failed with statuscode: 500",
  ]);
  assert.ok((await messages(running, "Killing")).includes("Container app failed startup probe, will be restarted"));
});

test("a pod that fits nowhere stays pending and says why, until there is a place", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const { cluster } = running;
  const containers = [{ name: "app", image: "app:1", command: ["sleep", "60"] }];
  await createPod(cluster, podNamed("picky", { nodeSelector: { disk: "ssd" }, containers }));
  const scheduled = (pod: Pod | undefined): string | undefined =>
    pod?.status?.conditions?.find(({ type }) => type === "PodScheduled")?.reason;
  await podWhen(running, "picky", (pod) => scheduled(pod) === "Unschedulable");
  await createPod(
    cluster,
    podNamed("greedy", { containers: [{ ...containers[0]!, resources: { requests: { cpu: "500" } } }] }),
  );
  await podWhen(running, "greedy", (pod) => scheduled(pod) === "Unschedulable");
  await createPod(cluster, podNamed("gated", { schedulingGates: [{ name: "example.com/quota" }], containers }));
  const gated = await podWhen(running, "gated", (pod) => scheduled(pod) === "SchedulingGated");
  assert.equal(gated?.spec.nodeName, undefined);

  await cluster.patch(
    nodes,
    { name: "local" },
    { type: "merge", patch: { metadata: { labels: { disk: "ssd" } } } },
    { signal },
  );
  await podWhen(running, "picky", isReady);
  await cluster.delete(pods, { namespace: "default", name: "greedy" }, { signal });
  await podWhen(running, "greedy", (pod) => pod === undefined);

  const failures = (await messages(running, "FailedScheduling")).sort();
  assert.match(failures[0] ?? "", /^0\/1 nodes are available: 1 Insufficient cpu\. preemption: /);
  assert.match(
    failures[1] ?? "",
    /^0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\. preemption: /,
  );
});

test("what a pod uses is measured", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const containers = [{ name: "app", image: "app:1", command: ["node", "-e", "for (;;);"] }];
  const pod = await createPod(running.cluster, podNamed("busy", { terminationGracePeriodSeconds: 0, containers }));
  await podWhen(running, "busy", isReady);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const usage = running.workloads.usage.pods().find(({ uid }) => uid === pod.metadata.uid)?.containers[0];
    if (usage !== undefined && usage.cpuNanoCores > 5e7 && usage.memoryBytes > 1e7) break;
    assert.ok(Date.now() < deadline, `not measured: ${JSON.stringify(usage)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
