/**
 * What upstream's controller checks of a Rollout's spec, with its messages and paths. What this version cannot do yet
 * is refused here, in the field that asks for it, rather than ignored.
 */
import { parseSecondsOrDuration, type Problem } from "#lib";
import { matchesSelector } from "../meta/selector.ts";
import type { IntOrString } from "../meta/object.ts";
import { analysisReferenceProblems } from "./analysis-validation.ts";
import { invalid, notSupported, required, wholeNumberProblems } from "./field-problem.ts";
import type { CanaryStep, CanaryStrategy, Rollout, RolloutSpec } from "./rollout.ts";

const stepMessage = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause";
const stepKinds = [
  "setWeight",
  "pause",
  "analysis",
  "experiment",
  "setCanaryScale",
  "setHeaderRoute",
  "setMirrorRoute",
  "plugin",
] as const;

/** Everything wrong with the spec by itself. References to other objects are the controller's to check. */
export function validateRollout(rollout: Rollout): readonly Problem[] {
  const { spec } = rollout;
  if (spec === undefined) return [required("spec", "")];
  return [
    ...workloadProblems(spec),
    ...numberProblems(spec),
    ...strategyProblems(spec),
    ...(spec.restartAt === undefined || isTimestamp(spec.restartAt)
      ? []
      : [invalid("spec.restartAt", spec.restartAt, "must be an RFC 3339 time")]),
  ];
}

function workloadProblems(spec: RolloutSpec): Problem[] {
  if (spec.workloadRef !== undefined) {
    return [notSupported("spec.workloadRef", "put the pod template into spec.template instead")];
  }
  const problems: Problem[] = [];
  const selector = spec.selector;
  if (selector === undefined) {
    problems.push(required("spec.selector", "Rollout has missing field '.spec.selector'"));
  } else if (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0) {
    problems.push(invalid("spec.selector", selector, "empty selector is invalid for deployment"));
  }
  const template = spec.template;
  if (template === undefined) return [...problems, required("spec.template", "")];
  if (selector !== undefined && !matchesSelector(selector, template.metadata?.labels)) {
    const labels = template.metadata?.labels ?? {};
    problems.push(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  return [...problems, ...podProblems(spec)];
}

function podProblems(spec: RolloutSpec): Problem[] {
  const pod = spec.template.spec;
  const containers = pod?.containers ?? [];
  if (containers.length === 0) return [required("spec.template.spec.containers", "")];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  containers.forEach((container, index) => {
    const path = `spec.template.spec.containers[${index}]`;
    if (!container.name) problems.push(required(`${path}.name`, ""));
    else if (seen.has(container.name)) {
      problems.push({ path: `${path}.name`, message: `Duplicate value: ${JSON.stringify(container.name)}` });
    }
    seen.add(container.name);
    if (!container.image) problems.push(required(`${path}.image`, ""));
  });
  if (pod.restartPolicy !== undefined && pod.restartPolicy !== "Always") {
    const message = `Unsupported value: ${JSON.stringify(pod.restartPolicy)}: supported values: "Always"`;
    problems.push({ path: "spec.template.spec.restartPolicy", message });
  }
  return problems;
}

function numberProblems(spec: RolloutSpec): Problem[] {
  const problems = [
    ...wholeNumberProblems("spec.replicas", spec.replicas),
    ...wholeNumberProblems("spec.minReadySeconds", spec.minReadySeconds),
    ...wholeNumberProblems("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...wholeNumberProblems("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds),
    ...wholeNumberProblems("spec.rollbackWindow.revisions", spec.rollbackWindow?.revisions),
    ...wholeNumberProblems("spec.analysis.successfulRunHistoryLimit", spec.analysis?.successfulRunHistoryLimit),
    ...wholeNumberProblems("spec.analysis.unsuccessfulRunHistoryLimit", spec.analysis?.unsuccessfulRunHistoryLimit),
  ];
  const deadline = spec.progressDeadlineSeconds ?? 600;
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    problems.push(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  return problems;
}

function strategyProblems(spec: RolloutSpec): Problem[] {
  const { canary, blueGreen } = spec.strategy ?? {};
  if (canary === undefined && blueGreen === undefined) {
    const message = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
    return [required("spec.strategy", message)];
  }
  if (canary !== undefined && blueGreen !== undefined) {
    return [invalid("spec.strategy", "blueGreen: true canary: true", "Multiple Strategies can not be listed")];
  }
  if (canary === undefined) return [notSupported("spec.strategy.blueGreen", "use spec.strategy.canary")];
  const path = "spec.strategy.canary";
  return [
    ...unsupportedProblems(canary, path),
    ...scaleProblems(canary, path),
    ...thresholdProblems(canary, path),
    ...(canary.steps ?? []).flatMap((step, index) => stepProblems(step, canary, `${path}.steps[${index}]`)),
    ...(canary.analysis === undefined ? [] : analysisReferenceProblems(canary.analysis, `${path}.analysis`)),
    ...wholeNumberProblems(`${path}.analysis.startingStep`, canary.analysis?.startingStep),
  ];
}

function unsupportedProblems(canary: CanaryStrategy, path: string): Problem[] {
  const remedies: readonly (readonly [keyof CanaryStrategy, string])[] = [
    [
      "trafficRouting",
      "leave it out: the embedded router splits exactly by setWeight, other clusters by replica counts",
    ],
    ["antiAffinity", "put an affinity into spec.template.spec"],
    ["canaryMetadata", "put the metadata into spec.template.metadata"],
    ["stableMetadata", "put the metadata into spec.template.metadata"],
    ["pingPong", "leave it out"],
    ["canaryService", "leave it out: one Service that selects both revisions is enough"],
    ["stableService", "leave it out: one Service that selects both revisions is enough"],
  ];
  return remedies
    .filter(([field]) => canary[field] !== undefined)
    .map(([field, remedy]) => notSupported(`${path}.${field}`, remedy));
}

function scaleProblems(canary: CanaryStrategy, path: string): Problem[] {
  const problems: Problem[] = [];
  if (canary.trafficRouting === undefined) {
    if (canary.scaleDownDelaySeconds !== undefined) {
      const message = "Canary scaleDownDelaySeconds can only be used with traffic routing";
      problems.push(invalid(`${path}.scaleDownDelaySeconds`, canary.scaleDownDelaySeconds, message));
    }
    if (canary.dynamicStableScale === true) {
      const message = "Canary dynamicStableScale can only be used with traffic routing";
      problems.push(invalid(`${path}.dynamicStableScale`, true, message));
    }
  }
  for (const field of ["maxSurge", "maxUnavailable"] as const) {
    const value = canary[field];
    if (value !== undefined && intOrPercent(value) === undefined) {
      problems.push(invalid(`${path}.${field}`, value, "must be a whole number or a percentage such as 25%"));
    }
  }
  if (isZero(canary.maxSurge) && isZero(canary.maxUnavailable)) {
    problems.push(invalid(`${path}.maxSurge`, canary.maxSurge, "MaxSurge and MaxUnavailable both can not be zero"));
  }
  return problems;
}

function isZero(value: IntOrString | undefined): boolean {
  return value !== undefined && intOrPercent(value) === 0;
}

/** Upstream takes every text for a percentage, with or without the sign. */
function intOrPercent(value: IntOrString): number | undefined {
  const number = typeof value === "number" ? value : /^\d+%?$/.test(value) ? Number.parseInt(value, 10) : Number.NaN;
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

function thresholdProblems(canary: CanaryStrategy, path: string): Problem[] {
  const threshold = canary.replicaProgressThreshold;
  if (threshold === undefined) return [];
  const at = `${path}.replicaProgressThreshold`;
  if (threshold.type !== "Percent" && threshold.type !== "Pods") {
    const message = `Unsupported value: ${JSON.stringify(threshold.type)}: supported values: "Percent", "Pods"`;
    return [{ path: `${at}.type`, message }];
  }
  if (threshold.type === "Percent" && threshold.value > 100) {
    return [invalid(`${at}.value`, threshold.value, "must be between 0 and 100")];
  }
  return wholeNumberProblems(`${at}.value`, threshold.value);
}

function stepProblems(step: CanaryStep, canary: CanaryStrategy, path: string): Problem[] {
  const set = stepKinds.filter((kind) => step?.[kind] !== undefined);
  if (set.length !== 1) return [invalid(path, step, stepMessage)];
  if (step.setWeight !== undefined) return weightProblems(step.setWeight, `${path}.setWeight`);
  if (step.pause !== undefined) return pauseProblems(step.pause, `${path}.pause`);
  if (step.analysis !== undefined) return analysisReferenceProblems(step.analysis, `${path}.analysis`);
  if (step.setCanaryScale !== undefined && canary.trafficRouting === undefined) {
    return [required("spec.strategy.canary.trafficRouting", "SetCanaryScale requires TrafficRouting to be set")];
  }
  if (step.setHeaderRoute !== undefined) {
    const message = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix";
    return [invalid(`${path}.setHeaderRoute`, step.setHeaderRoute, message)];
  }
  if (step.setMirrorRoute !== undefined) {
    const message = "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins";
    return [invalid(`${path}.setMirrorRoute`, step.setMirrorRoute, message)];
  }
  if (step.experiment !== undefined) return [notSupported(`${path}.experiment`, "use an analysis step")];
  if (step.plugin !== undefined) return [notSupported(`${path}.plugin`, "use an analysis step")];
  return [];
}

function weightProblems(weight: number, path: string): Problem[] {
  if (Number.isInteger(weight) && weight >= 0 && weight <= 100) return [];
  return [invalid(path, weight, "SetWeight needs to be between 0 and 100")];
}

function pauseProblems(pause: NonNullable<CanaryStep["pause"]>, path: string): Problem[] {
  if (pause === null || typeof pause !== "object") return [invalid(path, pause, "must be {} or have a duration")];
  if (pause.duration === undefined || pause.duration === null) return [];
  const ms = parseSecondsOrDuration(pause.duration);
  if (ms !== undefined && ms >= 0) return [];
  return [invalid(`${path}.duration`, pause.duration, "Duration needs to be greater than 0")];
}

function isTimestamp(text: string): boolean {
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}
