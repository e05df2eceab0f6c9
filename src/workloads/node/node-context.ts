import {
  type ConfigMap,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  pods,
  type RuntimeClass,
  type Secret,
  type Service,
  type ServiceAccount,
} from "#api";
import { type EventText, type Informer, recordEvent } from "#controller";
import type { Cluster } from "#kube";
import type { Clock, Log } from "#lib";
import type { AccountTokenPort, EndpointGatePort, PodReachPort, PodRuntimePort } from "../ports.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import type { ConfigSources } from "./container-env.ts";

export interface NodeContext {
  readonly cluster: Cluster;
  readonly runtime: PodRuntimePort;
  readonly gate: EndpointGatePort;
  readonly reach: PodReachPort;
  readonly accounts: AccountTokenPort;
  readonly scheduler: Scheduler;
  readonly pods: Informer<Pod>;
  readonly configMaps: Informer<ConfigMap>;
  readonly secrets: Informer<Secret>;
  readonly services: Informer<Service>;
  readonly serviceAccounts: Informer<ServiceAccount>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly nodes: Informer<Node>;
  readonly runtimeClasses: Informer<RuntimeClass>;
  readonly nodeName: string;
  /** How long an ended pod waits at most for the routers. */
  readonly unrouteMs: number;
  /** Folders of the machine that pods may use, and everything below them; undefined: all. */
  readonly hostPaths: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export const hostIp = "127.0.0.1";

export function sourcesOf(context: NodeContext, pod: Pod): ConfigSources {
  const namespace = pod.metadata.namespace ?? "";
  return {
    configMap: (name) => context.configMaps.get(namespace, name),
    secret: (name) => context.secrets.get(namespace, name),
  };
}

/** Tells the pod's owner, as kubelet would. Never fails the work it tells about. */
export async function tell(
  context: NodeContext,
  pod: Pod,
  type: EventText["type"],
  reason: string,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, clock } = context;
  const component = reason === "Scheduled" || reason === "FailedScheduling" ? "default-scheduler" : "kubelet";
  try {
    await recordEvent({ cluster, clock, component }, pods, pod, { type, reason, message }, signal);
  } catch (error) {
    if (!signal.aborted) context.log.warn("Cannot record an event", { pod: pod.metadata.name, reason, error });
  }
}
