/** What upstream checks of autoscalers, with its paths and messages. Pure. */
import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import type { HorizontalPodAutoscaler, MetricSpec, MetricTarget, ScalingRules } from "./autoscaling-types.ts";

export function validateAutoscaler({ spec }: HorizontalPodAutoscaler): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const problems: Problem[] = [];
  const { scaleTargetRef: target, minReplicas = 1, maxReplicas } = spec;
  if (!target?.kind) problems.push(required("spec.scaleTargetRef.kind", ""));
  if (!target?.name) problems.push(required("spec.scaleTargetRef.name", ""));
  if (minReplicas < 1) problems.push(invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if (maxReplicas < 1) problems.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (maxReplicas < minReplicas) {
    problems.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  (spec.metrics ?? []).forEach((metric, index) => problems.push(...metricProblems(metric, `spec.metrics[${index}]`)));
  problems.push(...rulesProblems(spec.behavior?.scaleUp, "spec.behavior.scaleUp"));
  problems.push(...rulesProblems(spec.behavior?.scaleDown, "spec.behavior.scaleDown"));
  return problems;
}

const sources = {
  Resource: "resource",
  ContainerResource: "containerResource",
  Pods: "pods",
  Object: "object",
  External: "external",
} as const;

function metricProblems(metric: MetricSpec, path: string): Problem[] {
  if (!metric.type) return [required(`${path}.type`, "must specify a metric source type")];
  if (!Object.hasOwn(sources, metric.type)) {
    return [unsupported(`${path}.type`, metric.type, Object.keys(sources).sort())];
  }
  const field = sources[metric.type];
  const problems: Problem[] = Object.values(sources)
    .filter((other) => other !== field && metric[other] !== undefined)
    .map((other) => ({
      path: `${path}.${other}`,
      message: "Forbidden: must populate the given metric source only",
    }));
  const source = metric[field];
  if (source === undefined) {
    return [...problems, required(`${path}.${field}`, "must populate information for the given metric source")];
  }
  if (field === "object") {
    const { kind, name } = metric.object?.describedObject ?? {};
    if (!kind) problems.push(required(`${path}.object.describedObject.kind`, ""));
    if (!name) problems.push(required(`${path}.object.describedObject.name`, ""));
  }
  if ("name" in source && !source.name)
    problems.push(required(`${path}.${field}.name`, "must specify a resource name"));
  if ("metric" in source && !source.metric?.name) {
    problems.push(required(`${path}.${field}.metric.name`, "must specify a metric name"));
  }
  return [...problems, ...targetProblems(source.target, `${path}.${field}.target`)];
}

function targetProblems(target: MetricTarget | undefined, path: string): Problem[] {
  if (!target?.type) return [required(`${path}.type`, "must specify a metric target type")];
  const types = ["Utilization", "Value", "AverageValue"];
  if (!types.includes(target.type)) return [unsupported(`${path}.type`, target.type, types.toSorted())];
  const { averageUtilization: share } = target;
  const problems: Problem[] = [];
  if (share !== undefined && share < 1) {
    problems.push(invalid(`${path}.averageUtilization`, share, "must be greater than 0"));
  }
  if (target.type === "Utilization" && share === undefined) {
    problems.push(required(`${path}.averageUtilization`, "must set a target raw value or a target utilization"));
  }
  if (target.type === "Value" && target.value === undefined) {
    problems.push(required(`${path}.value`, "must set either a target raw value or a target utilization"));
  }
  if (target.type === "AverageValue" && target.averageValue === undefined) {
    problems.push(required(`${path}.averageValue`, "must specify a positive target averageValue"));
  }
  return problems;
}

const maxWindow = 3600;
const maxPeriod = 1800;

function rulesProblems(rules: ScalingRules | undefined, path: string): Problem[] {
  if (rules === undefined) return [];
  const problems: Problem[] = [];
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0) {
    problems.push(invalid(`${path}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero"));
  }
  if (window !== undefined && window > maxWindow) {
    const why = `must be less than or equal to ${maxWindow}`;
    problems.push(invalid(`${path}.stabilizationWindowSeconds`, window, why));
  }
  const select = rules.selectPolicy;
  if (select !== undefined && !["Max", "Min", "Disabled"].includes(select)) {
    problems.push(unsupported(`${path}.selectPolicy`, select, ["Disabled", "Max", "Min"]));
  }
  if ((rules.policies ?? []).length === 0) {
    problems.push(required(`${path}.policies`, "must specify at least one Policy"));
  }
  (rules.policies ?? []).forEach((policy, index) => {
    const at = `${path}.policies[${index}]`;
    if (policy.type !== "Pods" && policy.type !== "Percent") {
      problems.push(unsupported(`${at}.type`, policy.type, ["Percent", "Pods"]));
    }
    if (policy.value <= 0) problems.push(invalid(`${at}.value`, policy.value, "must be greater than zero"));
    if (policy.periodSeconds <= 0) {
      problems.push(invalid(`${at}.periodSeconds`, policy.periodSeconds, "must be greater than zero"));
    } else if (policy.periodSeconds > maxPeriod) {
      const why = `must be less than or equal to ${maxPeriod}`;
      problems.push(invalid(`${at}.periodSeconds`, policy.periodSeconds, why));
    }
  });
  return problems;
}
