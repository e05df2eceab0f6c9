import { defineKind } from "../meta/kind.ts";
import { type Namespace, namespaces } from "./core-types.ts";

export const namespaceKind = defineKind<Namespace>({
  type: namespaces,
  singular: "namespace",
  shortNames: ["ns"],
  status: true,
  generation: false,
  fields: ["spec", "status"],
  setDefaults(namespace) {
    const { metadata } = namespace;
    metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
  },
  complete(namespace, old) {
    if (old !== undefined) {
      // They go one by one through a subresource of their own.
      if (old.spec?.finalizers !== undefined)
        namespace.spec = { ...namespace.spec, finalizers: [...old.spec.finalizers] };
      return;
    }
    namespace.spec = {
      ...namespace.spec,
      finalizers: [...new Set([...(namespace.spec?.finalizers ?? []), "kubernetes"])],
    };
    namespace.status = { phase: "Active" };
  },
  columns: [{ name: "Status", cell: ({ status }) => status?.phase ?? "" }],
  selectableFields: { "status.phase": ({ status }) => status?.phase ?? "" },
});
