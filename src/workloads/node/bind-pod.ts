/**
 * Scheduling on a node that is the only one: the pod gets its place and ports, then its node. Both are written in one
 * patch before anything starts, so that whoever sees a container's port can reach it.
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
    await tell(
      context,
      pod,
      "Normal",
      "Scheduled",
      `Successfully assigned ${namespace}/${name} to ${nodeName}`,
      signal,
    );
  }
  return network;
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
