/**
 * Puts a pod on the node: it gets its place and ports, then its node. Both are written in one patch before anything
 * starts, so that whoever sees a container's port can reach it.
 */
import { type Pod, pods, portMapAnnotation } from "#api";
import { AppError, deepEqual, errorMessage } from "#lib";
import type { ContainerToStart, PodNetwork } from "../ports.ts";
import type { NodeContext } from "./node-context.ts";
import { identityOf } from "./pod-fields.ts";

/**
 * @param image the one that is about to start, which may decide what network the pod gets
 * @throws PlaceError where the pod cannot have the runtime that it asks for
 */
export async function bindPod(
  context: NodeContext,
  pod: Pod,
  signal: AbortSignal,
  image?: ContainerToStart["image"],
): Promise<PodNetwork> {
  const { cluster, nodeName } = context;
  const previousPorts = portMapOf(pod);
  const network = await preparePod(context, pod, previousPorts, image, signal);
  const unbound = (pod.spec.nodeName ?? "") === "";
  if (!unbound && deepEqual(previousPorts, network.ports)) return network;
  const { namespace = "", name, uid } = pod.metadata;
  const annotations = { [portMapAnnotation]: JSON.stringify(network.ports) };
  const patch = { metadata: { uid, annotations }, ...(unbound ? { spec: { nodeName } } : {}) };
  await cluster.patch(pods, { namespace, name }, { type: "merge", patch }, { signal, fieldManager: "kubelet" });
  return network;
}

/** The pod cannot be given its place: kubelet's FailedCreatePodSandBox. */
export class PlaceError extends AppError<"workloads/no-place"> {}

async function preparePod(
  context: NodeContext,
  pod: Pod,
  previousPorts: Readonly<Record<string, number>>,
  image: ContainerToStart["image"] | undefined,
  signal: AbortSignal,
): Promise<PodNetwork> {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const ports = containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
  const handler = handlerOf(context, pod);
  const aliases = (pod.spec["hostAliases"] ?? []) as { readonly ip: string; readonly hostnames?: readonly string[] }[];
  const sandbox = {
    pod: identityOf(pod),
    ports: [...new Set(ports)],
    previousPorts,
    ...(handler === undefined ? {} : { handler }),
    ...(pod.spec.hostNetwork === true ? { hostNetwork: true } : {}),
    hostAliases: aliases.map(({ ip, hostnames = [] }) => ({ ip, names: hostnames })),
    ...(image === undefined ? {} : { image }),
  };
  try {
    return await context.runtime.preparePod(sandbox, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new PlaceError("workloads/no-place", `Failed to create pod sandbox: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Of the pod's RuntimeClass; undefined: the node's own choice. */
function handlerOf({ runtimeClasses, runtime }: NodeContext, pod: Pod): string | undefined {
  const name = pod.spec["runtimeClassName"];
  if (typeof name !== "string" || name === "") return undefined;
  const found = runtimeClasses.get("", name);
  if (found === undefined) {
    const message = `Failed to create pod sandbox: failed to get runtime class: runtimeclass.node.k8s.io "${name}" not found`;
    throw new PlaceError("workloads/no-place", message);
  }
  if (runtime.handlers.includes(found.handler)) return found.handler;
  const message = `Failed to create pod sandbox: no runtime for "${found.handler}" is configured: this node has ${runtime.handlers.join(", ")}`;
  throw new PlaceError("workloads/no-place", message);
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
