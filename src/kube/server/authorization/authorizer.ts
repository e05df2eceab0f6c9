/** Whether a user may: RBAC over the stored roles and bindings, as they are at the moment of the question. */
import { clusterRoles, type PolicyRule, qualifiedPlural, type RoleBinding, type RoleRef, roles } from "#api";
import type { AnyObject } from "#api";
import { type KubeUser, mastersGroup } from "../authentication/user.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { Attributes } from "./attributes.ts";
import { BindingIndex, subjectOf } from "./binding-index.ts";
import { ruleAllows, type WholeRule, wholeRule } from "./policy-rule.ts";

export interface Decision {
  readonly allowed: boolean;
  /** Which binding allows it, or what is wrong with the bindings that could; "" when there is nothing to say. */
  readonly reason: string;
}

export interface HeldRules {
  readonly rules: readonly WholeRule[];
  /** Bindings whose role is not there. */
  readonly errors: readonly string[];
}

const everything: readonly WholeRule[] = [
  wholeRule({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }),
  wholeRule({ verbs: ["*"], nonResourceURLs: ["*"] }),
];

export class Authorizer implements Disposable {
  readonly #store: ObjectStore;
  readonly #index: BindingIndex;
  /** Stored objects are frozen, so rules are read once for each version of a role. */
  readonly #rules = new WeakMap<AnyObject, readonly WholeRule[]>();

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#index = new BindingIndex(store);
  }

  authorize(user: KubeUser, wanted: Attributes): Decision {
    if (isMaster(user)) return { allowed: true, reason: "" };
    const namespace = wanted.kind === "resource" ? wanted.namespace : "";
    const errors: string[] = [];
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      for (const binding of this.#index.bindingsOf(user, scope)) {
        const role = this.#roleOf(binding.roleRef, scope);
        if (typeof role === "string") errors.push(role);
        else if (role.some((rule) => ruleAllows(rule, wanted))) {
          return { allowed: true, reason: `RBAC: allowed by ${describe(binding, user)}` };
        }
      }
    }
    return { allowed: false, reason: errors.length === 0 ? "" : `RBAC: ${aggregate(errors)}` };
  }

  /** All that the user may in the namespace, or cluster-wide (""). */
  rulesOf(user: KubeUser, namespace: string): HeldRules {
    const rules: WholeRule[] = isMaster(user) ? [...everything] : [];
    const errors: string[] = [];
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      for (const binding of this.#index.bindingsOf(user, scope)) {
        const role = this.#roleOf(binding.roleRef, scope);
        if (typeof role === "string") errors.push(role);
        else rules.push(...role);
      }
    }
    return { rules, errors };
  }

  /** The rules of a role that a binding in `namespace` names; undefined when there is none. */
  rulesOfRole(ref: RoleRef, namespace: string): readonly WholeRule[] | undefined {
    const found = this.#roleOf(ref, namespace);
    return typeof found === "string" ? undefined : found;
  }

  [Symbol.dispose](): void {
    this.#index[Symbol.dispose]();
  }

  /** The rules, or what is said of a role that is not there. */
  #roleOf(ref: RoleRef, namespace: string): readonly WholeRule[] | string {
    const type = ref.kind === "Role" ? roles : clusterRoles;
    const place = { namespace: ref.kind === "Role" ? namespace : "", name: ref.name };
    const role = this.#store.get({ resource: qualifiedPlural(type), ...place });
    if (role === undefined) return `${type.kind.toLowerCase()}.${type.group} ${JSON.stringify(ref.name)} not found`;
    let rules = this.#rules.get(role);
    if (rules === undefined) {
      rules = ((role["rules"] as PolicyRule[] | null | undefined) ?? []).map(wholeRule);
      this.#rules.set(role, rules);
    }
    return rules;
  }
}

export function isMaster(user: KubeUser): boolean {
  return user.groups.includes(mastersGroup);
}

/** Upstream's words: `RoleBinding "name/namespace" of Role "reader" to User "ada"`. */
function describe(binding: RoleBinding, user: KubeUser): string {
  const { name, namespace } = binding.metadata;
  const subject = subjectOf(binding, user);
  const own = subject?.namespace ?? "";
  const home = own === "" ? (namespace ?? "") : own;
  const who = subject?.kind === "ServiceAccount" ? `${subject.name}/${home}` : (subject?.name ?? "");
  const what = namespace === undefined ? `ClusterRoleBinding "${name}"` : `RoleBinding "${name}/${namespace}"`;
  return `${what} of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${subject?.kind} "${who}"`;
}

function aggregate(errors: readonly string[]): string {
  const different = [...new Set(errors)];
  return different.length === 1 ? (different[0] ?? "") : `[${different.join(", ")}]`;
}
