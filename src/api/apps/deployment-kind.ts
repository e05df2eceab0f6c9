import type { Problem } from "#lib";
import { invalid, required, wholeNumberProblems } from "../argo/field-problem.ts";
import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import { defineKind } from "../meta/kind.ts";
import { type Deployment, deployments } from "./apps-types.ts";
import { isZero, shareProblems, templateColumns, workloadProblems } from "./workload-rules.ts";

export const deploymentKind = defineKind<Deployment>({
  type: deployments,
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  status: true,
  generation: true,
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  fields: ["spec", "status"],
  setDefaults({ spec }) {
    if (spec === undefined) return;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ??= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxSurge ??= "25%";
      spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    }
    setPodSpecDefaults(spec.template?.spec);
  },
  validate(deployment, old) {
    const problems = workloadProblems(deployment.spec, old?.spec);
    return deployment.spec === undefined ? problems : [...problems, ...rolloutProblems(deployment.spec)];
  },
  columns: [
    { name: "Ready", cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}` },
    { name: "Up-to-date", type: "integer", cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: "Available", type: "integer", cell: ({ status }) => status?.availableReplicas ?? 0 },
    ...templateColumns<Deployment>(),
  ],
});

function rolloutProblems(spec: Deployment["spec"]): Problem[] {
  const problems: Problem[] = [
    ...wholeNumberProblems("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...wholeNumberProblems("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds),
  ];
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    problems.push(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  const { type, rollingUpdate } = spec.strategy ?? {};
  if (type === "Recreate" && rollingUpdate !== undefined) {
    const message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
    return [...problems, { path: "spec.strategy.rollingUpdate", message }];
  }
  if (type !== undefined && type !== "Recreate" && type !== "RollingUpdate") {
    const message = `Unsupported value: ${JSON.stringify(type)}: supported values: "Recreate", "RollingUpdate"`;
    return [...problems, { path: "spec.strategy.type", message }];
  }
  if (rollingUpdate === undefined)
    return type === "Recreate" ? problems : [...problems, required("spec.strategy.rollingUpdate", "")];
  const path = "spec.strategy.rollingUpdate";
  const { maxSurge, maxUnavailable } = rollingUpdate;
  problems.push(...shareProblems(`${path}.maxSurge`, maxSurge, false));
  problems.push(...shareProblems(`${path}.maxUnavailable`, maxUnavailable, true));
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    problems.push(invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  return problems;
}
