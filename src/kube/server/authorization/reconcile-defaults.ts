/**
 * Brings the default roles and bindings up to what this version expects, at each start, by upstream's rules: what is
 * missing is added, what somebody added stays, and what says `autoupdate: "false"` is left alone. Deleting one only
 * lasts until the next start.
 */
import {
  type AnyObject,
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRoleBindings,
  clusterRoles,
  type KubeObject,
  type Subject,
} from "#api";
import { deepEqual } from "#lib";
import type { ObjectApi } from "../object-api.ts";
import { plainWrite } from "../write/write-request.ts";
import { autoUpdateAnnotation, defaultClusterRoleBindings, defaultClusterRoles } from "./default-roles.ts";
import { wholeRule } from "./policy-rule.ts";
import { uncovered } from "./rule-cover.ts";

/** Undefined: as it should be. A binding's role cannot be changed, so another one means to begin anew. */
export type Reconciliation<T> =
  | { readonly kind: "create" | "update" | "replace"; readonly object: T }
  | { readonly kind: "none" };

export function reconcileRole(stored: ClusterRole | undefined, expected: ClusterRole): Reconciliation<ClusterRole> {
  if (stored === undefined) return { kind: "create", object: expected };
  if (isProtected(stored)) return { kind: "none" };
  const missing = uncovered((stored.rules ?? []).map(wholeRule), (expected.rules ?? []).map(wholeRule));
  const added = missing.map(({ verbs, apiGroups, resources, nonResourceURLs }) =>
    nonResourceURLs.length > 0
      ? { nonResourceURLs: [...nonResourceURLs], verbs: [...verbs] }
      : { apiGroups: [...apiGroups], resources: [...resources], verbs: [...verbs] },
  );
  const { aggregationRule: _former, ...rest } = stored;
  const aggregation = mergedAggregation(stored, expected);
  const object: ClusterRole = {
    ...rest,
    metadata: mergedMetadata(stored, expected),
    ...(added.length === 0 ? {} : { rules: [...(stored.rules ?? []), ...added] }),
    ...(aggregation === undefined ? {} : { aggregationRule: aggregation }),
  };
  return deepEqual(object, stored) ? { kind: "none" } : { kind: "update", object };
}

export function reconcileBinding(
  stored: ClusterRoleBinding | undefined,
  expected: ClusterRoleBinding,
): Reconciliation<ClusterRoleBinding> {
  if (stored === undefined) return { kind: "create", object: expected };
  if (isProtected(stored)) return { kind: "none" };
  if (!deepEqual(stored.roleRef, expected.roleRef)) return { kind: "replace", object: expected };
  const subjects = stored.subjects ?? [];
  const missing = (expected.subjects ?? []).filter((subject) => !subjects.some((one) => sameSubject(one, subject)));
  const object = {
    ...stored,
    metadata: mergedMetadata(stored, expected),
    ...(missing.length === 0 ? {} : { subjects: [...subjects, ...missing] }),
  };
  return deepEqual(object, stored) ? { kind: "none" } : { kind: "update", object };
}

export function installDefaultRoles(objects: ObjectApi): void {
  for (const expected of defaultClusterRoles) {
    install(objects, clusterRoles, expected, (stored) => reconcileRole(stored, expected));
  }
  for (const expected of defaultClusterRoleBindings) {
    install(objects, clusterRoleBindings, expected, (stored) =>
      reconcileBinding(stored as ClusterRoleBinding | undefined, expected),
    );
  }
}

function install(
  objects: ObjectApi,
  { group, version, plural }: { readonly group: string; readonly version: string; readonly plural: string },
  expected: KubeObject,
  reconcile: (stored: AnyObject | undefined) => Reconciliation<KubeObject>,
): void {
  const kind = objects.kinds.find(group, version, plural);
  // Kinds may leave RBAC out in tests.
  if (kind === undefined) return;
  const { name } = expected.metadata;
  const step = reconcile(objects.find(kind, { name }));
  const write = plainWrite("tidegate");
  switch (step.kind) {
    case "none":
      return;
    case "update":
      objects.update(kind, { name }, step.object, write);
      return;
    case "replace":
      objects.delete(kind, { name }, {});
      objects.create(kind, undefined, step.object, write);
      return;
    case "create":
      objects.create(kind, undefined, step.object, write);
  }
}

function isProtected({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[autoUpdateAnnotation] === "false";
}

/** What stands on the object wins. */
function mergedMetadata(stored: KubeObject, expected: KubeObject): KubeObject["metadata"] {
  return {
    ...stored.metadata,
    labels: { ...expected.metadata.labels, ...stored.metadata.labels },
    annotations: { ...expected.metadata.annotations, ...stored.metadata.annotations },
  };
}

/** None where none is expected; otherwise the stored selectors and those that are missing. */
function mergedAggregation(stored: ClusterRole, expected: ClusterRole): ClusterRole["aggregationRule"] {
  if (expected.aggregationRule === undefined) return undefined;
  const own = stored.aggregationRule?.clusterRoleSelectors ?? [];
  const wanted = expected.aggregationRule.clusterRoleSelectors ?? [];
  const missing = wanted.filter((selector) => !own.some((one) => deepEqual(one, selector)));
  return { clusterRoleSelectors: [...own, ...missing] };
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");
}
