import { deepEqual, type Problem } from "#lib";
import { required, unsupported } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import { completeClaimSource, setClaimSpecDefaults } from "./claim-defaults.ts";
import { accessModeProblems, accessModesText } from "./access-modes.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "./volumes.ts";

export const persistentVolumeClaimKind = defineKind<PersistentVolumeClaim>({
  type: persistentVolumeClaims,
  singular: "persistentvolumeclaim",
  shortNames: ["pvc"],
  status: true,
  generation: false,
  setDefaults: setClaimSpecDefaults,
  complete: completeClaimSource,
  validate(claim, old) {
    const { spec } = claim;
    if (spec === undefined) return [required("spec", "")];
    return old === undefined ? claimProblems(spec) : [...claimProblems(spec), ...changeProblems(claim, old)];
  },
  columns: [
    { name: "Status", cell: (claim) => phaseText(claim) },
    { name: "Volume", cell: ({ spec }) => spec.volumeName ?? "" },
    { name: "Capacity", cell: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.["storage"] ?? "") : "") },
    {
      name: "Access Modes",
      cell: ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ""),
    },
    { name: "StorageClass", cell: ({ spec }) => spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", cell: ({ spec }) => classText(spec) },
    { name: "VolumeMode", wide: true, cell: ({ spec }) => spec.volumeMode ?? "<unset>" },
  ],
});

/** A field of newer clusters, which nothing here reads. */
function classText(spec: object): string {
  return String((spec as { volumeAttributesClassName?: string }).volumeAttributesClassName ?? "<unset>");
}

function phaseText({ metadata, status }: PersistentVolumeClaim): string {
  return metadata.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating";
}

function claimProblems(spec: PersistentVolumeClaim["spec"]): Problem[] {
  const problems = accessModeProblems("spec.accessModes", spec.accessModes);
  if (spec.resources?.requests?.["storage"] === undefined) {
    problems.push(required("spec.resources[storage]", ""));
  }
  const mode = spec.volumeMode;
  if (mode !== undefined && mode !== "Filesystem" && mode !== "Block") {
    problems.push(unsupported("spec.volumeMode", mode, ["Block", "Filesystem"]));
  }
  return problems;
}

const changeRule =
  "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** A claim is bound by naming its volume once, and may grow afterwards. */
function changeProblems({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim): Problem[] {
  const before = fixedPart(old.spec);
  const after = fixedPart(spec);
  if (!old.spec.volumeName) {
    delete before.volumeName;
    delete after.volumeName;
  }
  // A claim that named no class is given the default one when there is one.
  if (old.spec.storageClassName === undefined && !old.spec.volumeName) delete after.storageClassName;
  // A claim without a class may be given one, as happens when a default class comes later.
  if (old.spec.storageClassName === undefined) delete after.storageClassName;
  return deepEqual(before, after) ? [] : [{ path: "spec", message: changeRule }];
}

function fixedPart(spec: PersistentVolumeClaim["spec"]): Partial<PersistentVolumeClaim["spec"]> {
  const {
    resources,
    volumeAttributesClassName: _class,
    ...rest
  } = spec as typeof spec & {
    volumeAttributesClassName?: string;
  };
  return { ...rest, resources: { ...resources, requests: { ...resources?.requests, storage: "" } } };
}
