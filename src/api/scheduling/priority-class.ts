import type { Problem } from "#lib";
import { unsupported } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface PriorityClass extends KubeObject {
  value: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: "PreemptLowerPriority" | "Never";
}

const priorityClasses: ResourceType<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  namespaced: false,
};

const highestOfUsers = 1_000_000_000;

export const priorityClassKind = defineKind<PriorityClass>({
  type: priorityClasses,
  singular: "priorityclass",
  shortNames: ["pc"],
  status: false,
  generation: "once",
  setDefaults(priority) {
    priority.preemptionPolicy ??= "PreemptLowerPriority";
  },
  validate(priority, old) {
    const problems: Problem[] = [];
    if (priority.value > highestOfUsers && !priority.metadata.name.startsWith("system-")) {
      const message = `Forbidden: maximum allowed value of a user defined priority is ${highestOfUsers}`;
      problems.push({ path: "value", message });
    }
    const policy = priority.preemptionPolicy;
    if (policy !== "PreemptLowerPriority" && policy !== "Never") {
      problems.push(unsupported("preemptionPolicy", policy, ["Never", "PreemptLowerPriority"]));
    }
    if (old !== undefined && old.value !== priority.value) {
      problems.push({ path: "value", message: "Forbidden: may not be changed in an update." });
    }
    if (old !== undefined && old.preemptionPolicy !== policy) {
      problems.push({ path: "preemptionPolicy", message: "Invalid value: field is immutable" });
    }
    return problems;
  },
  columns: [
    { name: "Value", type: "integer", cell: ({ value }) => value },
    { name: "Global-Default", cell: ({ globalDefault }) => String(globalDefault ?? false) },
    { name: "PreemptionPolicy", cell: ({ preemptionPolicy }) => preemptionPolicy ?? "" },
  ],
});
