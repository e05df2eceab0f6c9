/**
 * Puts a pod on the node: it gets its place and ports, then its node. Both are written in one patch before anything
 * starts, so that whoever sees a container's port can reach it.
 */
import { type Pod, pods, portMapAnnotation } from "#api";
import { deepEqual } from "#lib";
import type { PodNetwork } from "../ports.ts";
import { type NodeContext, tell } from "./node-context.ts";
import { identityOf } from "./start-container.ts";

export async function bindPod(context: NodeContext, pod: Pod, signal: AbortSignal): Promise<PodNetwork> {
  const { cluster, runtime, nodeName } = context;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const ports = containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
  const previousPorts = portMapOf(pod);
  const network = await runtime.preparePod({ pod: identityOf(pod), ports: [...new Set(ports)], previousPorts }, signal);
  const unbound = (pod.spec.nodeName ?? "") === "";
  if (!unbound && deepEqual(previousPorts, network.ports)) return network;
  const { namespace = "", name, uid } = pod.metadata;
  const annotations = { [portMapAnnotation]: JSON.stringify(network.ports) };
  const patch = { metadata: { uid, annotations }, ...(unbound ? { spec: { nodeName } } : {}) };
  await cluster.patch(pods, { namespace, name }, { type: "merge", patch }, { signal, fieldManager: "kubelet" });
  if (unbound) {
    const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
    await tell(context, pod, "Normal", "Scheduled", message, signal);
  }
  return network;
}

/** Says in the pod's status why it is not placed. */
export async function writeUnscheduled(
  context: NodeContext,
  pod: Pod,
  why: { readonly reason: "Unschedulable" | "SchedulingGated"; readonly message: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid } = pod.metadata;
  const old = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (old?.status === "False" && old.reason === why.reason && old.message === why.message) return;
  const now = context.clock.now().toString({ smallestUnit: "second" });
  const lastTransitionTime = old?.status === "False" ? (old.lastTransitionTime ?? now) : now;
  const condition = { type: "PodScheduled", status: "False", ...why, lastTransitionTime };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  const options = { signal, subresource: "status", fieldManager: "default-scheduler" } as const;
  await context.cluster.patch(pods, { namespace, name }, { type: "strategic", patch }, options);
}

function portMapOf(pod: Pod): Record<string, number> {
  const text = pod.metadata.annotations?.[portMapAnnotation];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    // Written by hand; we write it anew.
    return {};
  }
}
