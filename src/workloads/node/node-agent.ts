/** Runs every pod of the embedded cluster: one `PodWorker` each, found again after a restart. */
import { type Node, nodes, type Pod } from "#api";
import { isKubeError } from "#kube";
import { TaskGroup, toTimestamp } from "#lib";
import { freemem, hostname, machine, platform, release, totalmem, availableParallelism } from "node:os";
import type { NodeContext } from "./node-context.ts";
import { PodWorker } from "./pod-worker.ts";

export async function runNodeAgent(context: NodeContext, signal: AbortSignal): Promise<void> {
  const { log, runtime } = context;
  await using tasks = new TaskGroup((error, name) => log.error("Node agent task failed", { name, error }));
  const workers = new Map<string, PodWorker>();
  using subscriptions = new DisposableStack();
  await Promise.all([context.pods.synced(), context.configMaps.synced(), context.secrets.synced()]);
  await registerNode(context, signal);
  await removeOrphans(context, signal);
  const follow = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? "";
    const known = workers.get(uid);
    if (known !== undefined) return known.notify();
    const worker = new PodWorker(context, pod);
    workers.set(uid, worker);
    tasks.start(`pod ${pod.metadata.name}`, async (stop) => {
      try {
        await worker.run(AbortSignal.any([signal, stop]));
      } finally {
        workers.delete(uid);
      }
    });
  };
  subscriptions.use(
    context.pods.subscribe((event) => {
      if (event.type === "deleted") workers.get(event.object.metadata.uid ?? "")?.notify();
      else follow(event.object);
      // Deleted and made again under the same name between two looks of the cache.
      if (event.type === "updated" && event.old.metadata.uid !== event.object.metadata.uid) {
        workers.get(event.old.metadata.uid ?? "")?.notify();
      }
    }),
  );
  for (const informer of [context.configMaps, context.secrets]) {
    subscriptions.use(
      informer.subscribe(({ object }) => configurationChanged(context, workers, object.metadata.namespace)),
    );
  }
  for await (const { podUid } of runtime.events.subscribe(signal)) workers.get(podUid)?.notify();
}

function configurationChanged(
  context: NodeContext,
  workers: ReadonlyMap<string, PodWorker>,
  namespace: string | undefined,
): void {
  for (const pod of context.pods.list(namespace ?? "")) workers.get(pod.metadata.uid ?? "")?.configurationChanged();
}

/** Pods that were taken out of the store while nobody ran here. */
async function removeOrphans(context: NodeContext, signal: AbortSignal): Promise<void> {
  const known = new Set(context.pods.list().map((pod) => pod.metadata.uid));
  for (const { uid, namespace, name } of context.runtime.pods()) {
    if (known.has(uid)) continue;
    context.log.info("Ending a pod that is not in the cluster any more", { namespace, name });
    await context.runtime.removePod(uid, signal);
  }
}

async function registerNode(context: NodeContext, signal: AbortSignal): Promise<void> {
  const { cluster, nodeName } = context;
  const now = toTimestamp(context.clock.now());
  const resources = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: "1000" };
  const labels = {
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": platform(),
    "kubernetes.io/arch": architecture(),
  };
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels }, spec: {} };
  try {
    await cluster.create(nodes, node, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  const old = await cluster.get(nodes, { name: nodeName }, { signal });
  const ready = old?.status?.conditions?.find(({ type }) => type === "Ready");
  const status: NonNullable<Node["status"]> = {
    capacity: resources,
    allocatable: { ...resources, memory: `${Math.floor(freemem() / 1024)}Ki` },
    addresses: [
      { type: "InternalIP", address: "127.0.0.1" },
      { type: "Hostname", address: hostname() },
    ],
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "the node agent runs pods",
        lastTransitionTime: ready?.status === "True" ? (ready.lastTransitionTime ?? now) : now,
      },
    ],
    nodeInfo: {
      operatingSystem: platform(),
      architecture: architecture(),
      kernelVersion: release(),
      osImage: `${platform()} ${release()}`,
      kubeletVersion: "v1.32.0",
      containerRuntimeVersion: `${context.runtime.name}://1`,
      machineID: "",
      systemUUID: "",
      bootID: "",
      kubeProxyVersion: "",
    },
  };
  const patch = { type: "merge", patch: { status } } as const;
  await cluster.patch(nodes, { name: nodeName }, patch, { signal, subresource: "status" });
}

function architecture(): string {
  const name = machine();
  return name === "x86_64" ? "amd64" : name === "aarch64" ? "arm64" : name;
}
