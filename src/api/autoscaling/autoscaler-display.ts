/** What `kubectl get hpa` shows of metrics: current value and target of each. Pure. */
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget } from "./autoscaling-types.ts";

const shownLimit = 2;

/** `cpu: 12%/80%, memory: <unknown>/200Mi + 1 more...` */
export function metricsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const current = (status?.currentMetrics ?? []).filter((item) => item !== null);
  const texts = metrics.map((metric, index) => metricText(metric, current[index]));
  const shown = texts.slice(0, shownLimit).join(", ");
  return texts.length > shownLimit ? `${shown} + ${texts.length - shownLimit} more...` : shown;
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case "Resource":
      return `${metric.resource?.name}: ${pair(metric.resource?.target, status?.resource?.current)}`;
    case "ContainerResource":
      return `${metric.containerResource?.name}: ${pair(metric.containerResource?.target, status?.containerResource?.current)}`;
    case "Pods":
      return pair(metric.pods?.target, status?.pods?.current);
    case "Object":
      return average(metric.object?.target, status?.object?.current);
    case "External":
      return average(metric.external?.target, status?.external?.current);
    default:
      return "<unknown type>";
  }
}

type Current = { value?: string; averageValue?: string; averageUtilization?: number } | undefined;

function pair(target: MetricTarget | undefined, current: Current): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
  const now = current?.averageUtilization === undefined ? "<unknown>" : `${current.averageUtilization}%`;
  return `${now}/${target?.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`}`;
}

function average(target: MetricTarget | undefined, current: Current): string {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? "<unknown>"}/${target?.value ?? "<unknown>"}`;
}
