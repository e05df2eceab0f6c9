import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { crdCleanupFinalizer, type CustomResourceDefinition, customResourceDefinitions } from "./crd.ts";

export const crdKind = defineKind<CustomResourceDefinition>({
  type: customResourceDefinitions,
  singular: "customresourcedefinition",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  status: true,
  generation: true,
  fields: ["spec", "status"],
  setDefaults({ spec }) {
    spec.names.singular ??= spec.names.kind.toLowerCase();
    spec.names.listKind ??= `${spec.names.kind}List`;
    spec.conversion ??= { strategy: "None" };
  },
  complete(crd, old) {
    const { metadata } = crd;
    if (metadata.deletionTimestamp === undefined) {
      metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), crdCleanupFinalizer])];
    }
    const stored = crd.spec.versions.filter(({ storage }) => storage).map(({ name }) => name);
    const before = old?.status?.storedVersions ?? [];
    // What was ever stored in a version stays named until somebody has moved it and says so.
    const storedVersions = [...before, ...stored.filter((name) => !before.includes(name))];
    if (old === undefined || storedVersions.length > before.length) crd.status = { ...crd.status, storedVersions };
  },
  validate(crd, old) {
    return [...nameProblems(crd), ...versionProblems(crd), ...storedProblems(crd), ...immutableProblems(crd, old)];
  },
  ownColumnsOnly: true,
  columns: [
    { name: "Name", cell: ({ metadata }) => metadata.name },
    { name: "Created At", cell: ({ metadata }) => metadata.creationTimestamp ?? "" },
  ],
});

function nameProblems({ metadata, spec }: CustomResourceDefinition): Problem[] {
  const problems: Problem[] = [];
  const expected = `${spec.names.plural}.${spec.group}`;
  if (metadata.name !== expected) {
    const message = `Invalid value: ${JSON.stringify(metadata.name)}: must be spec.names.plural+"."+spec.group`;
    problems.push({ path: "metadata.name", message });
  }
  if (!spec.group.includes(".")) {
    problems.push({ path: "spec.group", message: "Invalid value: should be a domain with at least one dot" });
  }
  if (spec.scope !== "Namespaced" && spec.scope !== "Cluster") {
    const message = `Unsupported value: ${JSON.stringify(spec.scope)}: supported values: "Cluster", "Namespaced"`;
    problems.push({ path: "spec.scope", message });
  }
  const { strategy } = spec.conversion ?? {};
  if (strategy !== "None") {
    const message = `Unsupported value: ${JSON.stringify(strategy)}: only "None" is supported: there are no webhooks here`;
    problems.push({ path: "spec.conversion.strategy", message });
  }
  return problems;
}

function versionProblems({ spec: { versions } }: CustomResourceDefinition): Problem[] {
  const problems: Problem[] = [];
  if (versions.length === 0)
    return [{ path: "spec.versions", message: "Required value: must have at least one version" }];
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const message = "Invalid value: must have exactly one version marked as storage version";
    problems.push({ path: "spec.versions", message });
  }
  for (const [index, version] of versions.entries()) {
    if (version.schema?.openAPIV3Schema !== undefined) continue;
    problems.push({
      path: `spec.versions[${index}].schema.openAPIV3Schema`,
      message: "Required value: schemas are required",
    });
  }
  return problems;
}

function storedProblems({ spec, status }: CustomResourceDefinition): Problem[] {
  const names = new Set(spec.versions.map(({ name }) => name));
  return (status?.storedVersions ?? []).flatMap((name, index) => {
    if (names.has(name)) return [];
    const why =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a ` +
      `storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [{ path: `status.storedVersions[${index}]`, message: `Invalid value: ${JSON.stringify(name)}: ${why}` }];
  });
}

function immutableProblems({ spec }: CustomResourceDefinition, old: CustomResourceDefinition | undefined): Problem[] {
  if (old === undefined) return [];
  const message = "Invalid value: field is immutable";
  const problems: Problem[] = [];
  if (spec.scope !== old.spec.scope) problems.push({ path: "spec.scope", message });
  if (spec.names.kind !== old.spec.names.kind) problems.push({ path: "spec.names.kind", message });
  return problems;
}
