import { defineKind } from "../meta/kind.ts";
import { rollouts, type Rollout } from "./rollout.ts";
import { validateRollout } from "./rollout-validation.ts";

export const rolloutKind = defineKind<Rollout>({
  type: rollouts,
  singular: "rollout",
  shortNames: ["ro"],
  categories: ["all"],
  status: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.HPAReplicas", selector: ".status.selector" },
  generation: true,
  fields: ["spec", "status"],
  setDefaults(rollout) {
    // Upstream's controller writes this 1 back, since an autoscaler needs a number to start from.
    if (rollout.spec !== undefined) rollout.spec.replicas ??= 1;
  },
  validate: validateRollout,
  columns: [
    { name: "Desired", type: "integer", cell: ({ spec }) => spec.replicas ?? 1 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.replicas ?? 0 },
    { name: "Up-to-date", type: "integer", cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: "Available", type: "integer", cell: ({ status }) => status?.availableReplicas ?? 0 },
  ],
});
