/** Says that the node lives: a Lease as kubelets have it, and now and then the node's own condition. */
import { type Condition, leases, namespaces, nodes } from "#api";
import { type Cluster, isKubeError } from "#kube";
import { type Clock, type Log, toTimestamp } from "#lib";
import { freemem } from "node:os";

export interface HeartbeatOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
}

const leaseNamespace = "kube-node-lease";
const leaseSeconds = 40;
const renewMs = 10_000;
/** Between conditions that say nothing new; upstream's. */
const reportMs = 300_000;

export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  let reportedAtMs = -Infinity;
  let reported: string | undefined;
  while (!signal.aborted) {
    try {
      await renewLease(options, signal);
      const memory = memoryPressure(freemem());
      if (memory.status !== reported || clock.monotonicMs() - reportedAtMs >= reportMs) {
        await report(options, memory, signal);
        reportedAtMs = clock.monotonicMs();
        reported = memory.status;
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn("Cannot renew the lease of the node, trying again", { error });
    }
    await clock.sleep(renewMs, signal).catch(() => {});
  }
}

async function renewLease({ cluster, clock, nodeName }: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const renewTime = clock.now().toString({ smallestUnit: "microsecond" });
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
  const key = { namespace: leaseNamespace, name: nodeName };
  try {
    await cluster.patch(leases, key, { type: "merge", patch: { spec } }, { signal });
  } catch (error) {
    if (!isKubeError(error, "NotFound")) throw error;
    await createLease(cluster, nodeName, spec, signal);
  }
}

async function createLease(cluster: Cluster, nodeName: string, spec: object, signal: AbortSignal): Promise<void> {
  try {
    const metadata = { name: leaseNamespace };
    await cluster.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata }, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  const node = await cluster.get(nodes, { name: nodeName }, { signal });
  // Without its node there is nothing to say; the node registers itself first.
  if (node === undefined) return;
  const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid: node.metadata.uid ?? "" };
  const metadata = { name: nodeName, namespace: leaseNamespace, ownerReferences: [owner] };
  const apiVersion = "coordination.k8s.io/v1";
  await cluster.create(leases, { apiVersion, kind: "Lease", metadata, spec }, { signal });
}

/** Upstream's threshold for evictions; here it is only told. */
const leastMemory = 100 * 1024 * 1024;

export function memoryPressure(freeBytes: number): Condition {
  return freeBytes < leastMemory
    ? {
        type: "MemoryPressure",
        status: "True",
        reason: "KubeletHasInsufficientMemory",
        message: "kubelet has insufficient memory available",
      }
    : {
        type: "MemoryPressure",
        status: "False",
        reason: "KubeletHasSufficientMemory",
        message: "kubelet has sufficient memory available",
      };
}

async function report(
  { cluster, clock, nodeName }: HeartbeatOptions,
  memory: Condition,
  signal: AbortSignal,
): Promise<void> {
  const node = await cluster.get(nodes, { name: nodeName }, { signal });
  if (node === undefined) return;
  const lastHeartbeatTime = toTimestamp(clock.now());
  const present = node.status?.conditions ?? [];
  const old = present.find(({ type }) => type === memory.type);
  const changed = old?.status !== memory.status || old.lastTransitionTime === undefined;
  const next = { ...memory, lastTransitionTime: changed ? lastHeartbeatTime : old.lastTransitionTime };
  const others = present.filter(({ type }) => type !== memory.type);
  const conditions = [next, ...others].map((condition) => ({ ...condition, lastHeartbeatTime }));
  const { resourceVersion } = node.metadata;
  const patch = { type: "merge", patch: { metadata: { resourceVersion }, status: { conditions } } } as const;
  await cluster.patch(nodes, { name: nodeName }, patch, { signal, subresource: "status" });
}
