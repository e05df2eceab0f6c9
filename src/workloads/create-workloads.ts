/** The embedded cluster's own controllers and its one node, put together. */
import {
  configMaps,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  runtimeClasses,
  secrets,
  serviceAccounts,
  services,
} from "#api";
import type { Informers } from "#controller";
import type { Cluster } from "#kube";
import { type Clock, type Ids, type Log, TaskGroup } from "#lib";
import type { MetricSeriesPort } from "./autoscaling/ports.ts";
import type { ControllerContext } from "./controller-context.ts";
import { createControllers } from "./controllers.ts";
import { runNodeAgent } from "./node/node-agent.ts";
import type { NodeContext } from "./node/node-context.ts";
import { createPodLogs, type PodLogs } from "./node/pod-logs.ts";
import { createPodStreams, type PodStreams } from "./node/pod-streams.ts";
import { runHeartbeat } from "./nodes/heartbeat.ts";
import type { AccountTokenPort, EndpointGatePort, PodReachPort, PodRuntimePort } from "./ports.ts";
import { UsageSampler } from "./node/usage-sampler.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { createFirstClasses } from "./volumes/first-classes.ts";
import type { VolumeFolderPort } from "./volumes/ports.ts";

export interface WorkloadsOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly runtime: PodRuntimePort;
  readonly gate: EndpointGatePort;
  readonly volumes: VolumeFolderPort;
  readonly reach: PodReachPort;
  readonly accounts: AccountTokenPort;
  readonly series: MetricSeriesPort;
  /** Folders of the machine that pods may use by hostPath, and what is below them; default: all. */
  readonly hostPaths?: readonly string[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Must stay the same over restarts. */
  readonly nodeName: string;
  /** Of CronJobs that name none; default UTC. */
  readonly timeZone?: string;
  /** How long a pod that ends waits at most until the routers have let go of it; default 5 s. */
  readonly unrouteMs?: number;
}

export interface Workloads {
  /** For `kubectl logs`. */
  readonly logs: PodLogs;
  /** For `kubectl exec`, `attach` and `port-forward`. */
  readonly streams: PodStreams;
  /** What the node and its pods use. */
  readonly usage: Pick<UsageSampler, "pods" | "node">;
  /** Runs controllers and node agent until the signal aborts. Containers run on. */
  run(signal: AbortSignal): Promise<void>;
}

export function createWorkloads(options: WorkloadsOptions): Workloads {
  const {
    cluster,
    informers,
    runtime,
    gate,
    volumes,
    clock,
    ids,
    log,
    nodeName,
    timeZone = "UTC",
    unrouteMs = 5000,
  } = options;
  const context: ControllerContext = { cluster, informers, clock, ids, log, timeZone };
  const cached = {
    pods: informers.for(pods),
    nodes: informers.for(nodes),
    claims: informers.for(persistentVolumeClaims),
    volumes: informers.for(persistentVolumes),
  };
  const node: NodeContext = {
    cluster,
    runtime,
    gate,
    reach: options.reach,
    accounts: options.accounts,
    scheduler: new Scheduler({ ...cached, namespaces: informers.for(namespaces), nodeName }),
    ...cached,
    configMaps: informers.for(configMaps),
    secrets: informers.for(secrets),
    services: informers.for(services),
    serviceAccounts: informers.for(serviceAccounts),
    runtimeClasses: informers.for(runtimeClasses),
    nodeName,
    hostPaths: options.hostPaths,
    unrouteMs,
    clock,
    log: log.with({ component: "node-agent" }),
  };
  const usage = new UsageSampler(runtime, clock, node.log);
  return {
    usage,
    logs: createPodLogs(runtime, clock),
    streams: createPodStreams(runtime),
    async run(signal) {
      using owned = new DisposableStack();
      const controllers = createControllers(
        context,
        { volumes, autoscaling: { usage, series: options.series } },
        owned,
      );
      await createFirstClasses(cluster, signal);
      await using tasks = new TaskGroup((error, name) => log.error("A workload controller ended", { name, error }));
      for (const controller of controllers) {
        tasks.start(controller.name, (stop) => controller.run(AbortSignal.any([signal, stop])));
      }
      tasks.start("usage", (stop) => usage.run(AbortSignal.any([signal, stop])));
      const heartbeat = { cluster, clock, log, nodeName };
      tasks.start("heartbeat", (stop) => runHeartbeat(heartbeat, AbortSignal.any([signal, stop])));
      tasks.start("node-agent", (stop) => runNodeAgent(node, AbortSignal.any([signal, stop])));
      await tasks.settled();
    },
  };
}
