/**
 * The definitions of the kinds that this system brings to a cluster which does not serve them. Their schemas are open:
 * what is in an object is judged by the controllers, in conditions, since another version of a kind may be there too.
 */
import type { KindDefinition } from "../meta/kind.ts";
import type { CustomResourceDefinition } from "./crd.ts";

const groups: ReadonlySet<string> = new Set(["argoproj.io", "tidegate.dev"]);

export function broughtDefinitions(kinds: readonly KindDefinition[]): readonly CustomResourceDefinition[] {
  return kinds.filter((kind) => groups.has(kind.type.group)).map(definitionOf);
}

function definitionOf({ type, singular, shortNames = [], status, scale }: KindDefinition): CustomResourceDefinition {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const subresources = {
    ...(status ? { status: {} } : {}),
    ...(scale === undefined ? {} : { scale: scalePaths(scale) }),
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${type.plural}.${type.group}` },
    spec: {
      group: type.group,
      scope: type.namespaced ? "Namespaced" : "Cluster",
      names: { plural: type.plural, singular, kind: type.kind, shortNames: [...shortNames] },
      versions: [
        {
          name: type.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: open },
          ...(Object.keys(subresources).length === 0 ? {} : { subresources }),
        },
      ],
    },
  };
}

function scalePaths({ specReplicas, statusReplicas, selector }: NonNullable<KindDefinition["scale"]>): {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
} {
  return {
    specReplicasPath: specReplicas,
    statusReplicasPath: statusReplicas,
    ...(selector === undefined ? {} : { labelSelectorPath: selector }),
  };
}
