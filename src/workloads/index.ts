/** The embedded cluster's workload controllers and its node agent. */
export { createWorkloads, type Workloads, type WorkloadsOptions } from "./create-workloads.ts";
export type { PodLogRequest, PodLogs } from "./node/pod-logs.ts";
export type { VolumeFolderPort } from "./volumes/ports.ts";
export type { MetricSeriesPort } from "./autoscaling/ports.ts";
export type { EndpointGatePort, PodIdentity, PodReachPort, PodRuntimePort } from "./ports.ts";
