/**
 * How the embedded router divides a workload's requests among its revisions: the one thing of traffic that no standard
 * resource says without a mesh. Written by the embedded `TrafficPort`, named after its Rollout; read by the router.
 */
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface TrafficSplit extends KubeObject {
  spec: {
    /** Pods without an entry here get no requests while the split stands. Weights add up to 100. */
    weights: { podTemplateHash: string; weight: number }[];
  };
  status?: {
    /** The spec generation that every router process has in its table. */
    observedGeneration?: number;
  };
}

export const trafficSplits: ResourceType<TrafficSplit> = {
  group: "tidegate.dev",
  version: "v1alpha1",
  kind: "TrafficSplit",
  plural: "trafficsplits",
  namespaced: true,
};

/** Label on pods that names their revision; the router weighs the endpoints of a Service by it. */
export const podTemplateHashLabel = "rollouts-pod-template-hash";
