import { deepEqual, type Problem } from "#lib";
import { invalid, required } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export interface IngressClass extends KubeObject {
  spec?: {
    controller?: string;
    parameters?: { apiGroup?: string; kind: string; name: string; scope?: string; namespace?: string };
  };
}

const ingressClasses: ResourceType<IngressClass> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
};

export const ingressClassKind = defineKind<IngressClass>({
  type: ingressClasses,
  singular: "ingressclass",
  status: false,
  generation: true,
  setDefaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= "Cluster";
  },
  validate({ spec }, old) {
    const problems: Problem[] = [];
    const { controller } = spec ?? {};
    if (!controller) problems.push(required("spec.controller", ""));
    else if (!controller.includes("/")) {
      problems.push(invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    }
    const { parameters } = spec ?? {};
    if (parameters !== undefined) {
      const path = "spec.parameters";
      if (!parameters.kind) problems.push(required(`${path}.kind`, "kind is required"));
      if (!parameters.name) problems.push(required(`${path}.name`, "name is required"));
    }
    if (old !== undefined && !deepEqual(old.spec?.controller, controller)) {
      problems.push(invalid("spec.controller", controller ?? "", "field is immutable"));
    }
    return problems;
  },
  columns: [
    { name: "Controller", cell: ({ spec }) => spec?.controller ?? "" },
    {
      name: "Parameters",
      cell({ spec }) {
        const { parameters } = spec ?? {};
        if (parameters === undefined) return "<none>";
        const { apiGroup, kind, name } = parameters;
        return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
      },
    },
  ],
});
