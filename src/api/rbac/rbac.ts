/** Who may do what: `rbac.authorization.k8s.io/v1`. */
import type { KubeObject, LabelSelector } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** Rights over resources, or over paths that are none; `*` is all, `<resource>/<subresource>` a part of a resource. */
export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  /** Absent or empty: all names. */
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Role extends KubeObject {
  rules?: PolicyRule[];
}

export interface ClusterRole extends KubeObject {
  rules?: PolicyRule[];
  /** The rules are then gathered from the roles that match, and what stands in `rules` is overwritten. */
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}

export interface RoleRef {
  apiGroup: string;
  kind: string;
  name: string;
}

export interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}

export interface RoleBinding extends KubeObject {
  subjects?: Subject[];
  roleRef: RoleRef;
}

export type ClusterRoleBinding = RoleBinding;

const rbac = { group: rbacGroup, version: "v1" } as const;

export const roles: ResourceType<Role> = { ...rbac, kind: "Role", plural: "roles", namespaced: true };

export const clusterRoles: ResourceType<ClusterRole> = {
  ...rbac,
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
};

export const roleBindings: ResourceType<RoleBinding> = {
  ...rbac,
  kind: "RoleBinding",
  plural: "rolebindings",
  namespaced: true,
};

export const clusterRoleBindings: ResourceType<ClusterRoleBinding> = {
  ...rbac,
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  namespaced: false,
};
