import { deepEqual, type Problem } from "#lib";
import { required, unsupported } from "../argo/field-problem.ts";
import { ageColumn } from "../meta/age-column.ts";
import { defineKind } from "../meta/kind.ts";
import { type StorageClass, storageClasses } from "./volumes.ts";

const defaultAnnotation = "storageclass.kubernetes.io/is-default-class";

export const storageClassKind = defineKind<StorageClass>({
  type: storageClasses,
  singular: "storageclass",
  shortNames: ["sc"],
  status: false,
  generation: false,
  setDefaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate(storageClass, old) {
    const problems: Problem[] = [];
    if (!storageClass.provisioner) problems.push(required("provisioner", ""));
    const { reclaimPolicy, volumeBindingMode: mode } = storageClass;
    if (reclaimPolicy !== "Delete" && reclaimPolicy !== "Retain") {
      problems.push(unsupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]));
    }
    if (mode !== "Immediate" && mode !== "WaitForFirstConsumer") {
      problems.push(unsupported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]));
    }
    return old === undefined ? problems : [...problems, ...changeProblems(storageClass, old)];
  },
  ownColumnsOnly: true,
  columns: [
    {
      name: "Name",
      cell: ({ metadata }) =>
        metadata.annotations?.[defaultAnnotation] === "true" ? `${metadata.name} (default)` : metadata.name,
    },
    { name: "Provisioner", cell: ({ provisioner }) => provisioner },
    { name: "ReclaimPolicy", cell: ({ reclaimPolicy }) => reclaimPolicy ?? "Delete" },
    { name: "VolumeBindingMode", cell: ({ volumeBindingMode }) => volumeBindingMode ?? "<unset>" },
    { name: "AllowVolumeExpansion", cell: ({ allowVolumeExpansion }) => String(allowVolumeExpansion ?? false) },
    ageColumn(),
  ],
});

function changeProblems(storageClass: StorageClass, old: StorageClass): Problem[] {
  const problems: Problem[] = [];
  if (!deepEqual(storageClass.parameters ?? {}, old.parameters ?? {})) {
    problems.push({ path: "parameters", message: "Forbidden: updates to parameters are forbidden." });
  }
  if (storageClass.provisioner !== old.provisioner) {
    problems.push({ path: "provisioner", message: "Forbidden: updates to provisioner are forbidden." });
  }
  if (storageClass.reclaimPolicy !== old.reclaimPolicy) {
    problems.push({ path: "reclaimPolicy", message: "Forbidden: updates to reclaimPolicy are forbidden." });
  }
  if (storageClass.volumeBindingMode !== old.volumeBindingMode) {
    problems.push({ path: "volumeBindingMode", message: "Invalid value: field is immutable" });
  }
  return problems;
}
