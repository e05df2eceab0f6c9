import { invalid, unsupported, wholeNumberProblems } from "../argo/field-problem.ts";
import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import { defineKind } from "../meta/kind.ts";
import { deepEqual, type Problem } from "#lib";
import { setClaimSpecDefaults } from "../storage/claim-defaults.ts";
import { type StatefulSet, statefulSets } from "./stateful-set.ts";
import { imageColumns, workloadProblems } from "./workload-rules.ts";

export const statefulSetKind = defineKind<StatefulSet>({
  type: statefulSets,
  singular: "statefulset",
  shortNames: ["sts"],
  categories: ["all"],
  status: true,
  generation: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".status.selector" },
  setDefaults({ spec }) {
    if (spec === undefined) return;
    spec.podManagementPolicy ??= "OrderedReady";
    spec.updateStrategy ??= {};
    if (spec.updateStrategy.type === undefined) {
      spec.updateStrategy.type = "RollingUpdate";
      spec.updateStrategy.rollingUpdate ??= {};
    }
    if (spec.updateStrategy.rollingUpdate !== undefined) spec.updateStrategy.rollingUpdate.partition ??= 0;
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ??= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ??= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    setPodSpecDefaults(spec.template?.spec);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= "v1";
      claim.kind ??= "PersistentVolumeClaim";
      setClaimSpecDefaults(claim);
    }
  },
  validate(set, old) {
    const problems = workloadProblems(set.spec, old?.spec, "selector only");
    return set.spec === undefined ? problems : [...problems, ...ownProblems(set.spec), ...changeProblems(set, old)];
  },
  columns: [
    { name: "Ready", cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}` },
    ...imageColumns<StatefulSet>(),
  ],
});

function ownProblems(spec: StatefulSet["spec"]): Problem[] {
  const problems: Problem[] = [...wholeNumberProblems("spec.revisionHistoryLimit", spec.revisionHistoryLimit)];
  const { podManagementPolicy: policy, updateStrategy, ordinals } = spec;
  if (policy !== "OrderedReady" && policy !== "Parallel") {
    problems.push(invalid("spec.podManagementPolicy", policy, 'must be "OrderedReady" or "Parallel"'));
  }
  const { type, rollingUpdate } = updateStrategy ?? {};
  if (type === "OnDelete" && rollingUpdate !== undefined) {
    const why = "only allowed for updateStrategy 'RollingUpdate'";
    problems.push(invalid("spec.updateStrategy.rollingUpdate", rollingUpdate, why));
  } else if (type !== "OnDelete" && type !== "RollingUpdate") {
    problems.push(unsupported("spec.updateStrategy", updateStrategy, ["RollingUpdate", "OnDelete"]));
  }
  problems.push(...wholeNumberProblems("spec.updateStrategy.rollingUpdate.partition", rollingUpdate?.partition));
  problems.push(...wholeNumberProblems("spec.ordinals.start", ordinals?.start));
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  for (const [field, value] of [
    ["whenDeleted", whenDeleted],
    ["whenScaled", whenScaled],
  ] as const) {
    if (value === "Retain" || value === "Delete") continue;
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`;
    problems.push(unsupported(path, value, ["Retain", "Delete"]));
  }
  return problems;
}

const changeRule =
  "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function changeProblems({ spec }: StatefulSet, old: StatefulSet | undefined): Problem[] {
  if (old === undefined || deepEqual(fixedPart(spec), fixedPart(old.spec))) return [];
  return [{ path: "spec", message: changeRule }];
}

function fixedPart(spec: StatefulSet["spec"]): unknown {
  const { serviceName, selector, volumeClaimTemplates, podManagementPolicy } = spec;
  return { serviceName: serviceName ?? "", selector, volumeClaimTemplates, podManagementPolicy };
}
