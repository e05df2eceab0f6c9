import { deepEqual, isObject, type Problem } from "#lib";
import { invalid, required, unsupported } from "../argo/field-problem.ts";
import { termProblems } from "../core/placement-validation.ts";
import { defineKind } from "../meta/kind.ts";
import { accessModeProblems, accessModesText } from "./access-modes.ts";
import { type PersistentVolume, persistentVolumes } from "./volumes.ts";

export const persistentVolumeKind = defineKind<PersistentVolume>({
  type: persistentVolumes,
  singular: "persistentvolume",
  shortNames: ["pv"],
  status: true,
  generation: false,
  setDefaults(volume) {
    const { spec } = volume;
    if (spec === undefined) return;
    spec.persistentVolumeReclaimPolicy ??= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath !== undefined) spec.hostPath.type ??= "";
  },
  complete(volume, old, { now }) {
    if (old === undefined) volume.status = { phase: "Pending", lastPhaseTransitionTime: now };
  },
  validate({ spec }, old) {
    if (spec === undefined) return [required("spec", "")];
    return [...volumeProblems(spec), ...(old === undefined ? [] : changeProblems(spec, old.spec))];
  },
  columns: [
    { name: "Capacity", cell: ({ spec }) => spec.capacity?.["storage"] ?? "" },
    { name: "Access Modes", cell: ({ spec }) => accessModesText(spec.accessModes) },
    { name: "Reclaim Policy", cell: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? "" },
    {
      name: "Status",
      cell: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
    },
    { name: "Claim", cell: ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace}/${claimRef.name}` : "") },
    { name: "StorageClass", cell: ({ spec }) => spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", cell: ({ spec }) => textOf(spec["volumeAttributesClassName"], "<unset>") },
    { name: "Reason", cell: ({ status }) => status?.reason ?? "" },
    { name: "VolumeMode", wide: true, cell: ({ spec }) => spec.volumeMode ?? "<unset>" },
  ],
});

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

const settings: ReadonlySet<string> = new Set([
  "capacity",
  "accessModes",
  "persistentVolumeReclaimPolicy",
  "claimRef",
  "storageClassName",
  "volumeMode",
  "volumeAttributesClassName",
  "mountOptions",
  "nodeAffinity",
]);

function sourcesOf(spec: PersistentVolume["spec"]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !settings.has(field)));
}

function volumeProblems(spec: PersistentVolume["spec"]): Problem[] {
  const problems = accessModeProblems("spec.accessModes", spec.accessModes);
  const { capacity = {} } = spec;
  if (Object.keys(capacity).length === 0) problems.push(required("spec.capacity", ""));
  else if (capacity["storage"] === undefined || Object.keys(capacity).length > 1) {
    problems.push(unsupported("spec.capacity", Object.keys(capacity), ["storage"]));
  }
  const policy = spec.persistentVolumeReclaimPolicy ?? "Retain";
  if (!["Delete", "Recycle", "Retain"].includes(policy)) {
    problems.push(unsupported("spec.persistentVolumeReclaimPolicy", policy, ["Delete", "Recycle", "Retain"]));
  }
  const { nodeAffinity } = spec;
  if (isObject(nodeAffinity) && nodeAffinity["required"] === undefined) {
    problems.push(required("spec.nodeAffinity.required", "must specify required node constraints"));
  }
  if (isObject(nodeAffinity) && isObject(nodeAffinity["required"])) {
    const terms = nodeAffinity["required"]["nodeSelectorTerms"];
    (Array.isArray(terms) ? terms.filter(isObject) : []).forEach((term, index) =>
      problems.push(...termProblems(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`)),
    );
  }
  const sources = Object.keys(sourcesOf(spec));
  if (sources.length === 0) problems.push(required("spec", "must specify a volume type"));
  for (const source of sources.slice(1)) {
    problems.push({ path: `spec.${source}`, message: "Forbidden: may not specify more than 1 volume type" });
  }
  return problems;
}

function changeProblems(spec: PersistentVolume["spec"], old: PersistentVolume["spec"]): Problem[] {
  const problems: Problem[] = [];
  if (!deepEqual(sourcesOf(spec), sourcesOf(old))) {
    const message = "Forbidden: spec.persistentvolumesource is immutable after creation";
    problems.push({ path: "spec.persistentvolumesource", message });
  }
  if (old["nodeAffinity"] !== undefined && !deepEqual(spec["nodeAffinity"], old["nodeAffinity"])) {
    const why = "field is immutable, except for updating from beta label to GA";
    problems.push(invalid("nodeAffinity", spec["nodeAffinity"] ?? null, why));
  }
  if (spec.volumeMode !== old.volumeMode) {
    problems.push({ path: "volumeMode", message: "Invalid value: field is immutable" });
  }
  return problems;
}
