import { conditionFields, type Descriptions, inPackage } from "./shared.ts";

const target = "Value to aim at.";
const current = "Value that was measured.";
const reference = {
  apiVersion: "Group and version of its kind.",
  kind: "Its kind.",
  name: "Its name.",
};
const kindOfMetric = "Resource, ContainerResource, Pods, Object or External.";
const resourceName = "cpu or memory.";
const counts = {
  currentReplicas: "Pods that there were when it last looked.",
  desiredReplicas: "Pods that there should be.",
  lastScaleTime: "When it last changed the number.",
  observedGeneration: "Generation that the autoscaler has seen; not set here.",
} as const;
const bounds = {
  minReplicas: "The fewest pods; one when nothing is said.",
  maxReplicas: "The most pods.",
  scaleTargetRef: "What is scaled, such as a Deployment.",
} as const;

const second: Descriptions = inPackage("io.k8s.api.autoscaling.v2", {
  HorizontalPodAutoscaler: {
    "": "Changes the number of pods by what they use or by other measurements, every 15 seconds.",
  },
  HorizontalPodAutoscalerSpec: {
    "": "What is scaled, between which numbers, by what.",
    ...bounds,
    metrics: "Measurements; the one that asks for most pods counts.",
    behavior: "How fast it may go up and down.",
  },
  CrossVersionObjectReference: reference,
  HorizontalPodAutoscalerBehavior: {
    scaleDown: "To fewer pods; it waits five minutes when nothing is said.",
    scaleUp: "To more pods.",
  },
  HPAScalingRules: {
    "": "How fast it may go one way.",
    policies: "The most that may change in a time.",
    selectPolicy: "Which policy counts: Max, Min, or Disabled for not at all.",
    stabilizationWindowSeconds: "Seconds to look back: the most careful wish of that time counts.",
    tolerance: "By how much a measurement may be off before anything changes. Recorded: it is always 10 % here.",
  },
  HPAScalingPolicy: {
    periodSeconds: "How long the time is.",
    type: "Pods or Percent.",
    value: "How many.",
  },
  MetricSpec: {
    "": "A measurement; the field that type names says which.",
    type: kindOfMetric,
    resource: "What pods use altogether.",
    containerResource: "What one container of the pods uses.",
    pods: "A series of metrics with the namespace and name of each pod.",
    object: "A series of metrics about one object.",
    external: "A series of metrics about anything.",
  },
  ResourceMetricSource: { name: resourceName, target },
  ContainerResourceMetricSource: {
    container: "Name of the container.",
    name: resourceName,
    target,
  },
  PodsMetricSource: { metric: "The series.", target },
  ObjectMetricSource: {
    describedObject: "The object; its kind is a label of the series.",
    metric: "The series.",
    target,
  },
  ExternalMetricSource: { metric: "The series.", target },
  MetricIdentifier: {
    "": "It is one of our own metrics.",
    name: "Name of the series; <name>_per_second is the rate of <name>_total when it is no series itself.",
    selector: "Labels that the series must have.",
  },
  MetricTarget: {
    "": "The field that type names says it.",
    type: "Utilization, AverageValue or Value.",
    averageUtilization: "Percent of what the pods request.",
    averageValue: "Value for each pod.",
    value: "Value as a whole.",
  },
  HorizontalPodAutoscalerStatus: {
    "": "What was measured and decided.",
    ...counts,
    currentMetrics: "What was measured last.",
    conditions: "Whether it can measure, can scale, and is at a bound.",
  },
  HorizontalPodAutoscalerCondition: { "": "One answer about an autoscaler.", ...conditionFields },
  MetricStatus: {
    "": "The field that type names says it.",
    type: kindOfMetric,
    resource: "Of all containers of the pods.",
    containerResource: "Of one container of the pods.",
    pods: "Of each pod.",
    object: "Of an object.",
    external: "Of anything.",
  },
  ResourceMetricStatus: { "": "What pods use.", name: resourceName, current },
  ContainerResourceMetricStatus: {
    container: "Name of the container.",
    name: resourceName,
    current,
  },
  PodsMetricStatus: { metric: "The series.", current },
  ObjectMetricStatus: {
    describedObject: "The object.",
    metric: "The series.",
    current,
  },
  ExternalMetricStatus: { metric: "The series.", current },
  MetricValueStatus: {
    averageUtilization: "Percent of what the pods request.",
    averageValue: "Value for each pod.",
    value: "Value as a whole.",
  },
});

const first: Descriptions = inPackage("io.k8s.api.autoscaling.v1", {
  HorizontalPodAutoscaler: { "": "The older form of an autoscaler, which knows CPU only; kept as autoscaling/v2." },
  HorizontalPodAutoscalerSpec: {
    "": "What is scaled, between which numbers.",
    ...bounds,
    targetCPUUtilizationPercentage: "Percent of the CPU requested that pods should use.",
  },
  CrossVersionObjectReference: reference,
  HorizontalPodAutoscalerStatus: {
    "": "What was measured and decided.",
    ...counts,
    currentCPUUtilizationPercentage: "Percent of the CPU requested that pods used.",
  },
  Scale: { "": "The number of pods of an object, apart from the rest of it." },
  ScaleSpec: { "": "How many pods there should be.", replicas: "The number." },
  ScaleStatus: { "": "How many pods there are.", replicas: "The number.", selector: "Their labels." },
});

export const autoscalingDescriptions: Descriptions = { ...second, ...first };
