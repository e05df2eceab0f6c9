import type { Problem } from "#lib";
import { defineKind, type KindDefinition } from "../meta/kind.ts";
import { type ClusterRole, clusterRoles, type PolicyRule, type Role, roles } from "./rbac.ts";

const shared = {
  status: false,
  generation: false,
  // Upstream's table has no age here.
  ownColumnsOnly: true,
  columns: [
    { name: "Name", cell: (role: Role) => role.metadata.name },
    { name: "Created At", type: "date", cell: (role: Role) => role.metadata.creationTimestamp ?? "" },
  ],
} as const satisfies Partial<KindDefinition<Role>>;

export const roleKind = defineKind<Role>({
  ...shared,
  type: roles,
  singular: "role",
  fields: ["rules"],
  validate: (role) => (role.rules ?? []).flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`, true)),
});

export const clusterRoleKind = defineKind<ClusterRole>({
  ...shared,
  type: clusterRoles,
  singular: "clusterrole",
  fields: ["rules", "aggregationRule"],
  validate: (role) => [
    ...(role.rules ?? []).flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`, false)),
    ...aggregationProblems(role),
  ],
});

function ruleProblems(rule: PolicyRule, path: string, namespaced: boolean): Problem[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = nullsOut(rule);
  const problems: Problem[] = [];
  if (verbs.length === 0) {
    problems.push({ path: `${path}.verbs`, message: "Required value: verbs must contain at least one value" });
  }
  if (nonResourceURLs.length > 0) {
    const found = `Invalid value: ${JSON.stringify(nonResourceURLs)}`;
    const wrong = (why: string): Problem => ({ path: `${path}.nonResourceURLs`, message: `${found}: ${why}` });
    if (namespaced) problems.push(wrong("namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      problems.push(wrong("rules cannot apply to both regular resources and non-resource URLs"));
    }
    return problems;
  }
  if (apiGroups.length === 0) {
    const message = "Required value: resource rules must supply at least one api group";
    problems.push({ path: `${path}.apiGroups`, message });
  }
  if (resources.length === 0) {
    const message = "Required value: resource rules must supply at least one resource";
    problems.push({ path: `${path}.resources`, message });
  }
  return problems;
}

/** Lists may stand as null, which is none. */
function nullsOut(rule: PolicyRule): Partial<PolicyRule> {
  return Object.fromEntries(Object.entries(rule).filter(([, list]) => list !== null));
}

function aggregationProblems({ aggregationRule }: ClusterRole): Problem[] {
  if (aggregationRule === undefined || aggregationRule === null) return [];
  const path = "aggregationRule.clusterRoleSelectors";
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    const message = "Required value: at least one clusterRoleSelector required if aggregationRule is non-nil";
    return [{ path, message }];
  }
  return selectors.flatMap((selector, index) =>
    (selector.matchExpressions ?? []).flatMap(({ operator, values = [] }, at) => {
      const where = `${path}[${index}].matchExpressions[${at}].values`;
      const takesValues = operator === "In" || operator === "NotIn";
      if (takesValues && values.length === 0) {
        return [{ path: where, message: "Required value: must be specified when `operator` is 'In' or 'NotIn'" }];
      }
      if (takesValues || values.length === 0) return [];
      const rule = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return [{ path: where, message: `Forbidden: ${rule}` }];
    }),
  );
}
