import { defineKind } from "../meta/kind.ts";
import { type HorizontalPodAutoscaler, horizontalPodAutoscalers, type ScalingRules } from "./autoscaling-types.ts";
import { metricsText } from "./autoscaler-display.ts";
import { validateAutoscaler } from "./autoscaler-validation.ts";

export const horizontalPodAutoscalerKind = defineKind<HorizontalPodAutoscaler>({
  type: horizontalPodAutoscalers,
  singular: "horizontalpodautoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  status: true,
  generation: false,
  setDefaults(autoscaler) {
    const { spec } = autoscaler;
    if (spec !== undefined) {
      spec.minReplicas ??= 1;
      if ((spec.metrics ?? []).length === 0) {
        spec.metrics = [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ];
      }
      setBehaviorDefaults(spec);
    }
    autoscaler.status ??= { desiredReplicas: 0, currentMetrics: null };
  },
  validate: validateAutoscaler,
  columns: [
    { name: "Reference", cell: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}` },
    { name: "Targets", cell: metricsText },
    { name: "MinPods", cell: ({ spec }) => (spec.minReplicas === undefined ? "<unset>" : String(spec.minReplicas)) },
    { name: "MaxPods", type: "integer", cell: ({ spec }) => spec.maxReplicas },
    { name: "Replicas", type: "integer", cell: ({ status }) => status?.currentReplicas ?? 0 },
  ],
});

/** Only when one direction is said something of are the rules of both written out. */
function setBehaviorDefaults(spec: HorizontalPodAutoscaler["spec"]): void {
  const { behavior } = spec;
  if (behavior === undefined) return;
  behavior.scaleUp = completed(behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  behavior.scaleDown = completed(behavior.scaleDown, {
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  });
}

function completed(rules: ScalingRules | undefined, defaults: ScalingRules): ScalingRules {
  const given = Object.fromEntries(Object.entries(rules ?? {}).filter(([, value]) => value !== undefined));
  return { ...defaults, ...given };
}
