/** The older version of autoscalers, which knows of the processor only; kept in the form of the newer. */
import { defineKind, type PrinterColumn } from "../meta/kind.ts";
import type { AnyObject, KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";
import { horizontalPodAutoscalerKind } from "./autoscaler-kind.ts";
import { type HorizontalPodAutoscaler, horizontalPodAutoscalers, type MetricSpec } from "./autoscaling-types.ts";

interface OlderAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: HorizontalPodAutoscaler["spec"]["scaleTargetRef"];
    minReplicas?: number;
    maxReplicas: number;
    targetCPUUtilizationPercentage?: number;
  };
  status?: {
    observedGeneration?: number;
    lastScaleTime?: string;
    currentReplicas: number;
    desiredReplicas: number;
    currentCPUUtilizationPercentage?: number;
  };
}

const type: ResourceType<OlderAutoscaler> = {
  group: "autoscaling",
  version: "v1",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  namespaced: true,
};

/** What the older form cannot say stands in annotations, as upstream has it. */
const otherMetrics = "autoscaling.alpha.kubernetes.io/metrics";
const behavior = "autoscaling.alpha.kubernetes.io/behavior";

export const olderAutoscalerKind = defineKind<OlderAutoscaler>({
  type,
  singular: "horizontalpodautoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  status: true,
  generation: false,
  storedAs: {
    type: horizontalPodAutoscalers,
    to: toNewer,
    from: (object) => toOlder(object as unknown as HorizontalPodAutoscaler),
  },
  columns: (horizontalPodAutoscalerKind.columns ?? []).map((column): PrinterColumn<OlderAutoscaler> => ({
    ...column,
    cell: (object, now) => column.cell(toNewer(object), now),
  })),
});

function processorMetric(percentage: number): MetricSpec {
  const target = { type: "Utilization", averageUtilization: percentage } as const;
  return { type: "Resource", resource: { name: "cpu", target } };
}

function isProcessor({ resource }: MetricSpec): boolean {
  return resource?.name === "cpu" && resource.target.averageUtilization !== undefined;
}

function toNewer({ metadata, spec, status }: OlderAutoscaler): AnyObject {
  const { targetCPUUtilizationPercentage: percentage, ...rest } = spec ?? {};
  const { [otherMetrics]: others, [behavior]: rules, ...annotations } = metadata.annotations ?? {};
  const metrics = [...(percentage === undefined ? [] : [processorMetric(percentage)]), ...(parsed(others) ?? [])];
  const rulesGiven = parsed(rules);
  const kept = Object.keys(annotations).length === 0 ? {} : { annotations };
  const { annotations: _annotations, ...names } = metadata;
  const { currentCPUUtilizationPercentage: _current, ...counts } = status ?? {};
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...names, ...kept },
    spec: {
      ...rest,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(rulesGiven === undefined ? {} : { behavior: rulesGiven }),
    },
    ...(status === undefined ? {} : { status: counts }),
  };
}

function parsed(text: string | undefined): MetricSpec[] | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as MetricSpec[];
  } catch {
    // Written by hand and no JSON: upstream drops it too.
    return undefined;
  }
}

function toOlder({ metadata, spec, status }: HorizontalPodAutoscaler): OlderAutoscaler {
  const { metrics = [], behavior: rules, ...rest } = spec;
  const processor = metrics.find(isProcessor);
  const others = metrics.filter((metric) => metric !== processor);
  const current = status?.currentMetrics?.find((metric) => metric?.resource?.name === "cpu");
  const percentage = processor?.resource?.target.averageUtilization;
  const shown = current?.resource?.current.averageUtilization;
  const { currentMetrics: _metrics, conditions: _conditions, ...counts } = status ?? { desiredReplicas: 0 };
  const annotations = {
    ...metadata.annotations,
    ...(others.length === 0 ? {} : { [otherMetrics]: JSON.stringify(others) }),
    ...(rules === undefined ? {} : { [behavior]: JSON.stringify(rules) }),
  };
  return {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { ...rest, ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }) },
    status: {
      ...counts,
      currentReplicas: counts.currentReplicas ?? 0,
      desiredReplicas: counts.desiredReplicas,
      ...(shown === undefined ? {} : { currentCPUUtilizationPercentage: shown }),
    },
  };
}
