import { defineKind } from "../meta/kind.ts";
import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import { type ReplicaSet, replicaSets } from "./apps-types.ts";
import { templateColumns, workloadProblems } from "./workload-rules.ts";

export const replicaSetKind = defineKind<ReplicaSet>({
  type: replicaSets,
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  status: true,
  generation: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  fields: ["spec", "status"],
  setDefaults({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    setPodSpecDefaults(spec.template?.spec);
  },
  validate: (replicaSet, old) => workloadProblems(replicaSet.spec, old?.spec),
  columns: [
    { name: "Desired", type: "integer", cell: ({ spec }) => spec.replicas ?? 1 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.replicas ?? 0 },
    { name: "Ready", type: "integer", cell: ({ status }) => status?.readyReplicas ?? 0 },
    ...templateColumns<ReplicaSet>(),
  ],
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
});
