import { deepEqual, type Problem } from "#lib";
import { invalid, unsupported, wholeNumberProblems } from "../argo/field-problem.ts";
import { setPodSpecDefaults } from "../core/pod-defaults.ts";
import { defineKind } from "../meta/kind.ts";
import { labelsText } from "../meta/selector-text.ts";
import { type DaemonSet, daemonSets } from "./daemon-set.ts";
import { isZero, shareProblems, templateColumns, workloadProblems } from "./workload-rules.ts";

/** A count of older clients, which upstream still keeps in step. */
const templateGeneration = "deprecated.daemonset.template.generation";

export const daemonSetKind = defineKind<DaemonSet>({
  type: daemonSets,
  singular: "daemonset",
  shortNames: ["ds"],
  categories: ["all"],
  status: true,
  generation: true,
  setDefaults({ metadata, spec }) {
    if (spec === undefined) return;
    metadata.annotations = { [templateGeneration]: "0", ...metadata.annotations };
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    setPodSpecDefaults(spec.template?.spec);
  },
  complete({ metadata, spec }, old) {
    const before = Number(old?.metadata.annotations?.[templateGeneration] ?? 0);
    const changed = old === undefined || !deepEqual(spec.template, old.spec.template);
    metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(changed ? before + 1 : before) };
  },
  validate(set, old) {
    const problems = workloadProblems(set.spec, old?.spec);
    return set.spec === undefined ? problems : [...problems, ...strategyProblems(set.spec)];
  },
  columns: [
    { name: "Desired", type: "integer", cell: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: "Current", type: "integer", cell: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: "Ready", type: "integer", cell: ({ status }) => status?.numberReady ?? 0 },
    { name: "Up-to-date", type: "integer", cell: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", cell: ({ status }) => status?.numberAvailable ?? 0 },
    { name: "Node Selector", cell: ({ spec }) => labelsText(spec.template.spec.nodeSelector) },
    ...templateColumns<DaemonSet>(),
  ],
});

function strategyProblems({ revisionHistoryLimit, updateStrategy }: DaemonSet["spec"]): Problem[] {
  const problems: Problem[] = [...wholeNumberProblems("spec.revisionHistoryLimit", revisionHistoryLimit)];
  const { type, rollingUpdate } = updateStrategy ?? {};
  if (type === "OnDelete") return problems;
  if (type !== "RollingUpdate") {
    return [...problems, unsupported("spec.updateStrategy", type, ["RollingUpdate", "OnDelete"])];
  }
  const path = "spec.updateStrategy.rollingUpdate";
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  problems.push(...shareProblems(`${path}.maxUnavailable`, maxUnavailable, true));
  problems.push(...shareProblems(`${path}.maxSurge`, maxSurge, true));
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    problems.push({ path: `${path}.maxUnavailable`, message: "Required value: cannot be 0 when maxSurge is 0" });
  } else if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    problems.push(invalid(`${path}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  return problems;
}
