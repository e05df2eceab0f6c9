import type { Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { shareProblems } from "../apps/workload-rules.ts";
import { defineKind } from "../meta/kind.ts";
import type { Condition, IntOrString, KubeObject, LabelSelector } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface PodDisruptionBudget extends KubeObject {
  spec: {
    minAvailable?: IntOrString;
    maxUnavailable?: IntOrString;
    selector?: LabelSelector;
    unhealthyPodEvictionPolicy?: "IfHealthyBudget" | "AlwaysAllow";
  };
  status?: {
    observedGeneration?: number;
    disruptedPods?: Record<string, string>;
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
    conditions?: Condition[];
  };
}

export const podDisruptionBudgets: ResourceType<PodDisruptionBudget> = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
};

export const podDisruptionBudgetKind = defineKind<PodDisruptionBudget>({
  type: podDisruptionBudgets,
  singular: "poddisruptionbudget",
  shortNames: ["pdb"],
  status: true,
  generation: true,
  lockedUpdates: true,
  setDefaults(budget) {
    budget.status ??= { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate({ spec }) {
    if (spec === undefined) return [required("spec", "")];
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
    const problems: Problem[] = [];
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      problems.push(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
    }
    problems.push(...shareProblems("spec.minAvailable", minAvailable, true));
    problems.push(...shareProblems("spec.maxUnavailable", maxUnavailable, true));
    if (policy !== undefined && policy !== "IfHealthyBudget" && policy !== "AlwaysAllow") {
      problems.push(unsupported("spec.unhealthyPodEvictionPolicy", policy, ["AlwaysAllow", "IfHealthyBudget"]));
    }
    return problems;
  },
  columns: [
    { name: "Min Available", cell: ({ spec }) => String(spec.minAvailable ?? "N/A") },
    { name: "Max Unavailable", cell: ({ spec }) => String(spec.maxUnavailable ?? "N/A") },
    { name: "Allowed Disruptions", type: "integer", cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
  ],
});
