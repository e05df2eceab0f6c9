/**
 * Nobody gives more than he has: who writes a role must hold its rights or may `escalate` it, and who binds one must
 * hold its rights or may `bind` it. Without this, the right to write roles would be the right to everything.
 */
import {
  type AnyObject,
  type ClusterRole,
  clusterRoleBindings,
  clusterRoles,
  qualifiedPlural,
  rbacGroup,
  type RoleBinding,
  roleBindings,
  roles,
} from "#api";
import { deepEqual } from "#lib";
import type { KubeUser } from "../authentication/user.ts";
import { forbidden, notFound } from "../refusals.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { type Authorizer, isMaster } from "./authorizer.ts";
import { type WholeRule, wholeRule } from "./policy-rule.ts";
import { missingText, uncovered } from "./rule-cover.ts";

const roleResources: ReadonlySet<string> = new Set([roles, clusterRoles].map(qualifiedPlural));
const bindingResources: ReadonlySet<string> = new Set([roleBindings, clusterRoleBindings].map(qualifiedPlural));

const everything: readonly WholeRule[] = [
  wholeRule({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }),
  wholeRule({ verbs: ["*"], nonResourceURLs: ["*"] }),
];

export interface Grant {
  readonly kind: ServedKind;
  readonly object: AnyObject;
  /** Absent when the object is new. */
  readonly old: AnyObject | undefined;
}

/** Throws Forbidden when the write would give away rights that the user does not have. */
export function refuseEscalation(authorizer: Authorizer, user: KubeUser, grant: Grant): void {
  const { resource } = grant.kind;
  if (isMaster(user) || (!roleResources.has(resource) && !bindingResources.has(resource))) return;
  if (grant.old !== undefined && changesOnlyOwners(grant.old, grant.object)) return;
  if (roleResources.has(resource)) refuseRole(authorizer, user, grant);
  else refuseBinding(authorizer, user, grant);
}

function refuseRole(authorizer: Authorizer, user: KubeUser, { kind, object, old }: Grant): void {
  const { name, namespace = "" } = object.metadata;
  // A role that is created has no name in its URL.
  const target = { group: rbacGroup, resource: kind.type.plural, subresource: "", name: old === undefined ? "" : name };
  if (authorizer.authorize(user, { kind: "resource", verb: "escalate", namespace, ...target }).allowed) return;
  const role = object as unknown as ClusterRole;
  refuseMissing(authorizer, user, { kind, name, namespace, rules: (role.rules ?? []).map(wholeRule) });
  if (!gathers(object) && !(old !== undefined && gathers(old))) return;
  if (uncovered(authorizer.rulesOf(user, "").rules, everything).length === 0) return;
  throw forbidden(kind.type, name, "must have cluster-admin privileges to use the aggregationRule");
}

function refuseBinding(authorizer: Authorizer, user: KubeUser, { kind, object }: Grant): void {
  const { name, namespace = "" } = object.metadata;
  const { roleRef } = object as unknown as RoleBinding;
  const plural = roleRef.kind === "Role" ? roles.plural : clusterRoles.plural;
  const target = { group: roleRef.apiGroup, resource: plural, subresource: "", name: roleRef.name };
  if (authorizer.authorize(user, { kind: "resource", verb: "bind", namespace, ...target }).allowed) return;
  const rules = authorizer.rulesOfRole(roleRef, namespace);
  // Upstream tells of the role under the binding's kind.
  if (rules === undefined) throw notFound(kind.type, roleRef.name);
  refuseMissing(authorizer, user, { kind, name, namespace, rules });
}

function refuseMissing(
  authorizer: Authorizer,
  user: KubeUser,
  grant: { kind: ServedKind; name: string; namespace: string; rules: readonly WholeRule[] },
): void {
  const held = authorizer.rulesOf(user, grant.namespace);
  const missing = uncovered(held.rules, grant.rules);
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
  const who = `user "${user.name}" (groups=[${groups}])`;
  const unresolved = held.errors.length === 0 ? "" : `; resolution errors: [${held.errors.join(", ")}]`;
  const what = `${who} is attempting to grant RBAC permissions not currently held:\n${missingText(missing)}${unresolved}`;
  throw forbidden(grant.kind.type, grant.name, what);
}

function gathers(object: AnyObject): boolean {
  return ((object as unknown as ClusterRole).aggregationRule?.clusterRoleSelectors ?? []).length > 0;
}

/** What garbage collection needs: owners and finalizers may change without a new grant. */
function changesOnlyOwners(old: AnyObject, object: AnyObject): boolean {
  return deepEqual(withoutOwners(old), withoutOwners(object));
}

function withoutOwners(object: AnyObject): AnyObject {
  const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, resourceVersion: "" } };
}
