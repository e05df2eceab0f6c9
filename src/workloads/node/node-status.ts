/** Registers the node that this machine is, and says what it has. */
import { type Node, nodes, runtimeClasses } from "#api";
import { isKubeError } from "#kube";
import { toTimestamp } from "#lib";
import { availableParallelism, hostname, machine, platform, release, totalmem } from "node:os";
import { hostIp, type NodeContext } from "./node-context.ts";

/** Upstream's memory.available threshold of eviction, which it does not give to pods either. */
const keptFreeKi = 100 * 1024;
const maxPods = 1000;

export async function registerNode(context: NodeContext, signal: AbortSignal): Promise<void> {
  const { cluster, nodeName } = context;
  const labels = {
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": platform(),
    "kubernetes.io/arch": architecture(),
  };
  const annotations = { "tidegate.dev/isolation": context.runtime.isolation };
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels, annotations }, spec: {} };
  try {
    await cluster.create(nodes, node, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
    const patch = { type: "merge", patch: { metadata: { labels, annotations } } } as const;
    await cluster.patch(nodes, { name: nodeName }, patch, { signal });
  }
  await createRuntimeClasses(context, signal);
  const old = await cluster.get(nodes, { name: nodeName }, { signal });
  const patch = { type: "merge", patch: { status: nodeStatus(context, old) } } as const;
  await cluster.patch(nodes, { name: nodeName }, patch, { signal, subresource: "status" });
}

/** One by the name of each runtime that is here; people may make others that name the same. */
async function createRuntimeClasses({ cluster, runtime }: NodeContext, signal: AbortSignal): Promise<void> {
  for (const handler of runtime.handlers) {
    const metadata = { name: handler };
    try {
      await cluster.create(
        runtimeClasses,
        { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata, handler },
        { signal },
      );
    } catch (error) {
      if (!isKubeError(error, "AlreadyExists")) throw error;
    }
  }
}

function nodeStatus(context: NodeContext, old: Node | undefined): NonNullable<Node["status"]> {
  const now = toTimestamp(context.clock.now());
  const ready = old?.status?.conditions?.find(({ type }) => type === "Ready");
  const memoryKi = Math.floor(totalmem() / 1024);
  const capacity = { cpu: String(availableParallelism()), memory: `${memoryKi}Ki`, pods: String(maxPods) };
  return {
    capacity,
    allocatable: { ...capacity, memory: `${Math.max(memoryKi - keptFreeKi, 0)}Ki` },
    addresses: [
      { type: "InternalIP", address: hostIp },
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
      kubeletVersion: "v1.33.0",
      containerRuntimeVersion: `${context.runtime.name}://1`,
      machineID: "",
      systemUUID: "",
      bootID: "",
      kubeProxyVersion: "",
    },
  };
}

function architecture(): string {
  const name = machine();
  return name === "x86_64" ? "amd64" : name === "aarch64" ? "arm64" : name;
}
