/** A whole embedded cluster with its node, on a folder of its own: real store, real controllers, real processes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pod, pods, type ReplicaSet, type Deployment, type PodSpec } from "#api";
import { Informers } from "#controller";
import { type Cluster, type EmbeddedCluster, openEmbeddedCluster } from "#kube";
import { createLog, systemClock, systemIds, toTextLine } from "#lib";
import { type ImageSourcePort, openProcessRuntime, type PodRuntime } from "#runtime";
import { createWorkloads, type EndpointGatePort, type Workloads } from "#workloads";
import { volumeFolders } from "../../../src/server/wiring/volume-folders.ts";

const log = createLog((entry) => {
  if (process.env["TEST_LOG"] !== undefined) process.stderr.write(`${toTextLine(entry, systemClock.now())}\n`);
}, "debug");

/** Images without files: what a container runs comes from the host. `missing/*` does not exist. */
export const hostImages: ImageSourcePort = {
  resolve(reference) {
    if (reference.startsWith("missing/")) return Promise.reject(new Error(`manifest for "${reference}" not found`));
    const digest = `sha256:${"0".repeat(63)}${reference.length % 10}`;
    return Promise.resolve({ digest, config: { config: {} }, layers: [] });
  },
};

export interface Running extends AsyncDisposable {
  readonly folder: string;
  readonly cluster: EmbeddedCluster;
  readonly informers: Informers;
  readonly runtime: PodRuntime;
  readonly workloads: Workloads;
}

export interface RunOptions {
  readonly folder: string;
  readonly gate?: EndpointGatePort;
}

/** Containers run on when this is disposed. */
export async function runCluster(options: RunOptions): Promise<Running> {
  const { folder } = options;
  const stop = new AbortController();
  const [clock, ids] = [systemClock, systemIds];
  const cluster = openEmbeddedCluster({ file: join(folder, "cluster.db"), clock, ids, log });
  const informers = new Informers({ cluster, clock, log });
  const runtime = await openProcessRuntime({
    podsFolder: join(folder, "work/pods"),
    imagesFolder: join(folder, "rootfs"),
    source: hostImages,
    hostPath: process.env["PATH"] ?? "",
    clock,
    ids,
    log,
    signal: stop.signal,
  });
  const volumes = volumeFolders(join(folder, "volumes"));
  const gate = options.gate ?? { awaitUnrouted: () => Promise.resolve() };
  const workloads = createWorkloads({
    cluster,
    informers,
    runtime,
    gate,
    volumes,
    reach: { apiServer: () => undefined, service: () => undefined },
    accounts: cluster.accounts,
    series: {
      ofPods: () => Promise.resolve(new Map()),
      ofObject: () => Promise.resolve([]),
      external: () => Promise.resolve([]),
    },
    clock,
    ids,
    log,
    nodeName: "local",
  });
  const running = workloads.run(stop.signal);
  return {
    folder,
    cluster,
    informers,
    runtime,
    workloads,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await informers[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

export interface Scratch extends AsyncDisposable {
  readonly folder: string;
}

/** A folder that is removed at the end, with whatever pods still run out of it. */
export async function scratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "workloads-"));
  return {
    folder,
    async [Symbol.asyncDispose]() {
      const signal = AbortSignal.timeout(20_000);
      const runtime = await openProcessRuntime({
        podsFolder: join(folder, "work/pods"),
        imagesFolder: join(folder, "rootfs"),
        source: hostImages,
        hostPath: "",
        clock: systemClock,
        ids: systemIds,
        log,
        signal,
      });
      for (const { uid } of runtime.pods()) await runtime.removePod(uid, signal);
      await runtime[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits on watch events until the object is as `wanted` says; undefined stands for "it is gone". */
export async function until<T extends Pod | ReplicaSet | Deployment>(
  { informers }: Pick<Running, "informers">,
  type: Parameters<Informers["for"]>[0],
  name: string,
  wanted: (object: T | undefined) => boolean,
  limitMs = 20_000,
): Promise<T | undefined> {
  const informer = informers.for(type);
  await informer.synced();
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const look = (): void => {
    const object = informer.get("default", name) as T | undefined;
    if (wanted(object)) resolve(object);
  };
  using _subscription = informer.subscribe(() => queueMicrotask(look));
  const timer = setTimeout(() => {
    const last = JSON.stringify(informer.get("default", name), undefined, 1);
    reject(new Error(`"${name}" did not become what was waited for: it is ${last}`));
  }, limitMs);
  look();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** An HTTP server on PORT: `/` tells version and pid, `/slow` takes a while, `/fail` makes the probe path fail. */
export const serverScript = `
const http = require("node:http");
let healthy = true;
const server = http.createServer((request, response) => {
  if (request.url === "/fail") healthy = false;
  if (request.url === "/healthz") response.statusCode = healthy ? 200 : 503;
  if (request.url === "/crash") process.exit(9);
  response.end(JSON.stringify({ version: process.env.VERSION, pid: process.pid }));
});
setTimeout(() => server.listen(process.env.PORT, "127.0.0.1", () => console.log("listening")), Number(process.env.DELAY ?? 0));
process.on("SIGTERM", () => { console.log("asked to stop"); server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

export function serverSpec(version = "1", more: Partial<PodSpec["containers"][0]> = {}): PodSpec {
  return {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: "app",
        image: "app:1",
        command: ["node", "-e", serverScript],
        env: [{ name: "VERSION", value: version }],
        ports: [{ name: "http", containerPort: 8080 }],
        readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1, failureThreshold: 1 },
        ...more,
      },
    ],
  };
}

export function podNamed(name: string, spec: PodSpec, labels: Record<string, string> = { app: "web" }): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels }, spec };
}

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

export async function createPod(cluster: Cluster, pod: Pod): Promise<Pod> {
  return await cluster.create(pods, pod, { signal: AbortSignal.timeout(10_000) });
}
