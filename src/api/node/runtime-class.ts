import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

/** Which runtime of its node a pod asks for, by `spec.runtimeClassName`. */
export interface RuntimeClass extends KubeObject {
  /** A name that the node knows. */
  handler: string;
  overhead?: { podFixed?: Record<string, string> };
  scheduling?: { nodeSelector?: Record<string, string>; tolerations?: unknown[] };
}

export const runtimeClasses: ResourceType<RuntimeClass> = {
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  namespaced: false,
};

/** RFC 1123. */
const label = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export const runtimeClassKind = defineKind<RuntimeClass>({
  type: runtimeClasses,
  singular: "runtimeclass",
  shortNames: [],
  status: false,
  generation: false,
  validate(runtimeClass, old) {
    const problems: Problem[] = [];
    if (!label.test(runtimeClass.handler ?? "")) {
      const rule =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
      problems.push({ path: "handler", message: `Invalid value: "${runtimeClass.handler ?? ""}": ${rule}` });
    }
    if (old !== undefined && old.handler !== runtimeClass.handler) {
      problems.push({ path: "handler", message: `Invalid value: "${runtimeClass.handler}": field is immutable` });
    }
    return problems;
  },
  columns: [{ name: "Handler", cell: ({ handler }) => handler }],
});
