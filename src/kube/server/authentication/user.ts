/** Whom a request of the Kubernetes API counts as, and what of Tidegate's tokens that is. Pure. */
import type { Identity } from "#api";

export interface KubeUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** What else the authenticator says of the user; it grants nothing. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** May do everything, whatever roles say. */
export const mastersGroup = "system:masters";
export const authenticatedGroup = "system:authenticated";
export const unauthenticatedGroup = "system:unauthenticated";
export const anonymousName = "system:anonymous";

/** Groups of tokens with a scope for the cluster: roles of ours that are bound to them say what the scope allows. */
export const readScopeGroup = "tidegate:kube:read";
export const writeScopeGroup = "tidegate:kube:write";

/** Undefined when the token is none for the Kubernetes API: it names no user and has no scope for it. */
export function userOfIdentity({ name, scopes, user }: Identity): KubeUser | undefined {
  const groups = [...scopeGroups(scopes), ...(user?.groups ?? [])];
  if (user === undefined && groups.length === 0) return undefined;
  return { name: user?.name ?? name, groups: [...new Set([...groups, authenticatedGroup])] };
}

function scopeGroups(scopes: readonly string[]): string[] {
  if (scopes.includes("admin")) return [mastersGroup];
  // A scope that names a repository says nothing of the cluster.
  if (scopes.includes("kube:write")) return [writeScopeGroup];
  return scopes.includes("kube:read") ? [readScopeGroup] : [];
}

const accountPrefix = "system:serviceaccount:";

export function serviceAccountUserName(namespace: string, name: string): string {
  return `${accountPrefix}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

/** The account that a user name means, if it means one. */
export function splitServiceAccountName(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(accountPrefix)) return undefined;
  const [namespace = "", name = "", ...more] = userName.slice(accountPrefix.length).split(":");
  return namespace === "" || name === "" || more.length > 0 ? undefined : { namespace, name };
}
