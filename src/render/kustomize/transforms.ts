/** The transformers that change names, namespaces, labels, annotations and replica counts. */
import { isObject } from "#lib";
import { KustomizeError } from "./errors.ts";
import { visitField, type FieldSpec } from "./field-path.ts";
import { annotationSpecs, labelSpecs, replicaSpecs } from "./field-specs.ts";
import type { LabelChange } from "./kustomization.ts";
import { isClusterScoped } from "./cluster-scoped.ts";
import { matchesKind, sameId, shownId, type Resource } from "./resource.ts";

export function setNamespace(resources: readonly Resource[], namespace: string): void {
  for (const resource of resources) {
    resource.rememberId();
    moveToNamespace(resource, namespace);
    const twins = resources.filter((other) => sameId(other.id, resource.id));
    if (twins.length > 1) {
      throw new KustomizeError(`Namespace "${namespace}" would give two objects one identity: ${shownId(resource.id)}`);
    }
  }
}

function moveToNamespace(resource: Resource, namespace: string): void {
  const { object, id } = resource;
  if (!isClusterScoped(id.group, id.kind)) object.metadata.namespace = namespace;
  if (id.kind === "Namespace" && id.group === "") object.metadata.name = namespace;
  if (id.kind === "APIService" && id.group === "apiregistration.k8s.io")
    setAt(resource, "spec/service/namespace", namespace);
  if (id.kind === "CustomResourceDefinition") {
    setAt(resource, "spec/conversion/webhook/clientConfig/service/namespace", namespace);
  }
  if (id.kind !== "RoleBinding" && id.kind !== "ClusterRoleBinding") return;
  const subjects = object["subjects"];
  if (!Array.isArray(subjects)) return;
  // Only the account called "default": the others follow the ServiceAccount they name, if it is rendered too.
  for (const subject of subjects)
    if (isObject(subject) && subject["name"] === "default") subject["namespace"] = namespace;
}

function setAt(resource: Resource, path: string, value: unknown): void {
  visitField(resource.object, path, false, (holder, field) => {
    holder[field] = value;
  });
}

const keepTheirName: ReadonlySet<string> = new Set(["CustomResourceDefinition", "Namespace"]);

/** Prefix and suffix reach every name but those whose names mean something elsewhere. */
export function addAffix(resources: readonly Resource[], affix: string, side: "prefix" | "suffix"): void {
  for (const resource of resources) {
    const { kind, group } = resource.originalId;
    if (keepTheirName.has(kind) || (kind === "APIService" && group === "apiregistration.k8s.io")) continue;
    resource.rememberId();
    (side === "prefix" ? resource.prefixes : resource.suffixes).push(affix);
    const { name } = resource.object.metadata;
    resource.object.metadata.name = side === "prefix" ? affix + name : name + affix;
  }
}

export function labelFieldSpecs(change: LabelChange): readonly FieldSpec[] {
  if (change.includeSelectors === true) return allLabelSpecs;
  return [
    ...labelSpecs.metadata,
    ...(change.includeTemplates === true ? labelSpecs.templates : []),
    // Kustomize 5.5 counts volume claim templates among the templates; later versions have a switch of their own.
    ...(change.includeTemplates === true || change.includeVolumeClaimTemplates === true ? labelSpecs.volumeClaims : []),
  ];
}

export const allLabelSpecs: readonly FieldSpec[] = [
  ...labelSpecs.selectors,
  ...labelSpecs.metadata,
  ...labelSpecs.templates,
  ...labelSpecs.volumeClaims,
];

export function addLabels(
  resources: readonly Resource[],
  labels: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
): void {
  for (const resource of resources) addEntries(resource, labels, specs);
}

export function addAnnotations(resources: readonly Resource[], annotations: Readonly<Record<string, string>>): void {
  for (const resource of resources) addEntries(resource, annotations, annotationSpecs);
}

function addEntries(resource: Resource, entries: Readonly<Record<string, string>>, specs: readonly FieldSpec[]): void {
  const id = resource.id;
  for (const spec of specs) {
    if (!matchesKind(id, spec)) continue;
    visitField(resource.object, spec.path, spec.create === true, (holder, field) => {
      const map = holder[field];
      if (map !== undefined && map !== null && !isObject(map)) {
        throw new KustomizeError(`Cannot set entries at "${spec.path}" of ${shownId(id)}: it is not a mapping`);
      }
      holder[field] = { ...(isObject(map) ? map : {}), ...entries };
    });
  }
}

export function setReplicas(resources: readonly Resource[], name: string, count: number): void {
  let found = false;
  for (const spec of replicaSpecs) {
    for (const resource of resources) {
      if (!resource.anyIds.some((id) => id.name === name && matchesKind(id, spec))) continue;
      found = true;
      visitField(resource.object, spec.path, true, (holder, field) => {
        holder[field] = count;
      });
    }
  }
  const kinds = replicaSpecs.map((spec) => spec.kind).join(", ");
  if (!found) throw new KustomizeError(`Nothing called "${name}" has replicas to set: expected one of ${kinds}`);
}
