/** What each metric of an autoscaler asks for, and the status that tells of it: pure. */
import { formatMilli, type MetricSpec, type MetricStatus, type MetricTarget, milliOf, type Pod } from "#api";
import type { MetricReading } from "./readings.ts";
import { type Count, countForPods, countForShare, countForValue, type PodsQuestion } from "./replica-count.ts";

export interface MetricsObserved {
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

export type MetricCount =
  | { readonly kind: "count"; readonly replicas: number; readonly name: string; readonly status: MetricStatus }
  /** `reason` is for condition and event, `message` for the event, `summary` for the autoscaler as a whole. */
  | { readonly kind: "problem"; readonly reason: string; readonly message: string; readonly summary: string };

export function countFor(spec: MetricSpec, reading: MetricReading, observed: MetricsObserved): MetricCount {
  switch (spec.type) {
    case "Resource":
      return resourceCount(spec, reading, observed, "Resource");
    case "ContainerResource":
      return resourceCount(spec, reading, observed, "ContainerResource");
    case "Pods":
      return podsCount(spec, reading, observed);
    case "Object":
      return objectCount(spec, reading, observed);
    case "External":
      return externalCount(spec, reading, observed);
  }
}

function resourceCount(
  spec: MetricSpec,
  reading: MetricReading,
  observed: MetricsObserved,
  type: "Resource" | "ContainerResource",
): MetricCount {
  const source = type === "Resource" ? spec.resource : spec.containerResource;
  const resource = source?.name ?? "";
  const container = spec.containerResource?.container ?? "";
  const what = type === "Resource" ? `${resource} resource` : `${container} container`;
  const fail = (message: string): MetricCount => ({
    kind: "problem",
    reason: `FailedGet${type}Metric`,
    message,
    summary: `failed to get ${what} metric value: ${message}`,
  });
  const target = resourceTarget(source?.target);
  if (target === undefined) {
    return fail(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  }
  const word = target.kind === "average" ? "usage" : "utilization";
  if (reading.kind !== "pods") {
    const why = reading.kind === "error" ? reading.message : "no values by pod";
    return fail(`failed to get ${resource} ${word}: unable to get metrics for resource ${resource}: ${why}`);
  }
  const result = countForPods(question(reading, observed, { resource, container, target }));
  if ("problem" in result) return fail(`failed to get ${resource} ${word}: ${result.problem}`);
  const name = target.kind === "average" ? `${resource} resource` : utilizationName(type, resource);
  const status = resourceStatus(type, resource, container, result.count);
  return { kind: "count", replicas: result.count.replicas, name, status };
}

function utilizationName(type: "Resource" | "ContainerResource", resource: string): string {
  const kind = type === "Resource" ? "resource" : "container resource";
  return `${resource} ${kind} utilization (percentage of request)`;
}

function resourceStatus(
  type: "Resource" | "ContainerResource",
  name: string,
  container: string,
  { utilization, average }: Count,
): MetricStatus {
  const current = {
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
    averageValue: formatMilli(average),
  };
  if (type === "Resource") return { type, resource: { name, current } };
  return { type, containerResource: { name, container, current } };
}

function resourceTarget(target: MetricTarget | undefined): PodsQuestion["target"] | undefined {
  const milli = milliOf(target?.averageValue ?? "");
  if (milli !== undefined) return { kind: "average", milli };
  const percent = target?.averageUtilization;
  return percent === undefined ? undefined : { kind: "utilization", percent };
}

function question(
  reading: Extract<MetricReading, { kind: "pods" }>,
  { pods, specReplicas, nowMs }: MetricsObserved,
  of: Pick<PodsQuestion, "resource" | "container" | "target">,
): PodsQuestion {
  return { pods, readings: reading.pods, currentReplicas: specReplicas, nowMs, ...of };
}

function podsCount(spec: MetricSpec, reading: MetricReading, observed: MetricsObserved): MetricCount {
  const metric = spec.pods?.metric ?? { name: "" };
  const fail = (message: string): MetricCount => ({
    kind: "problem",
    reason: "FailedGetPodsMetric",
    message,
    summary: `failed to get pods metric value: ${message}`,
  });
  if (reading.kind !== "pods") {
    return fail(
      `unable to get metric ${metric.name}: ${reading.kind === "error" ? reading.message : "no values by pod"}`,
    );
  }
  const milli = milliOf(spec.pods?.target.averageValue ?? "") ?? 0;
  const target = { kind: "average", milli } as const;
  const result = countForPods(question(reading, observed, { resource: "", container: "", target }));
  if ("problem" in result) return fail(result.problem);
  const current = { averageValue: formatMilli(result.count.average) };
  const status: MetricStatus = { type: "Pods", pods: { metric, current } };
  return { kind: "count", replicas: result.count.replicas, name: `pods metric ${metric.name}`, status };
}

function objectCount(spec: MetricSpec, reading: MetricReading, observed: MetricsObserved): MetricCount {
  const { metric = { name: "" }, describedObject = { kind: "", name: "" }, target } = spec.object ?? {};
  const fail = (message: string): MetricCount => ({
    kind: "problem",
    reason: "FailedGetObjectMetric",
    message,
    summary: `failed to get object metric value: ${message}`,
  });
  if (reading.kind !== "values") {
    const why = reading.kind === "error" ? reading.message : "no value of the object";
    return fail(`unable to get metric ${metric.name}: ${describedObject.kind} on ${describedObject.name}: ${why}`);
  }
  const counted = countForTarget(target, total(reading.values), observed);
  if (counted === undefined) {
    return fail("invalid object metric source: neither a value target nor an average value target was set");
  }
  const status: MetricStatus = { type: "Object", object: { describedObject, metric, current: counted.current } };
  return {
    kind: "count",
    replicas: counted.count.replicas,
    name: `${describedObject.kind} metric ${metric.name}`,
    status,
  };
}

function externalCount(spec: MetricSpec, reading: MetricReading, observed: MetricsObserved): MetricCount {
  const { metric = { name: "" }, target } = spec.external ?? {};
  const fail = (message: string): MetricCount => ({
    kind: "problem",
    reason: "FailedGetExternalMetric",
    message,
    summary: `failed to get ${metric.name} external metric value: ${message}`,
  });
  if (reading.kind !== "values") {
    return fail(
      `unable to get external metric ${metric.name}: ${reading.kind === "error" ? reading.message : "no value"}`,
    );
  }
  const counted = countForTarget(target, total(reading.values), observed);
  if (counted === undefined) {
    return fail("invalid external metric source: neither a value target nor an average value target was set");
  }
  const status: MetricStatus = { type: "External", external: { metric, current: counted.current } };
  return { kind: "count", replicas: counted.count.replicas, name: `external metric ${metric.name}`, status };
}

interface Counted {
  readonly count: Count;
  readonly current: { value?: string; averageValue?: string };
}

function countForTarget(
  target: MetricTarget | undefined,
  value: number,
  observed: MetricsObserved,
): Counted | undefined {
  const share = milliOf(target?.averageValue ?? "");
  if (share !== undefined) {
    const count = countForShare(value, share, observed.statusReplicas);
    return { count, current: { averageValue: formatMilli(count.average) } };
  }
  const whole = milliOf(target?.value ?? "");
  if (whole === undefined) return undefined;
  const ready = observed.pods.filter(isReady).length;
  const count = countForValue(value, whole, observed.specReplicas, ready);
  return { count, current: { value: formatMilli(value) } };
}

function isReady({ status }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return status?.phase === "Running" && ready;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
