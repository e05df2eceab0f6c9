/** Gathers the rules of roles that have an aggregationRule from the roles it selects. Event-driven. */
import { type ClusterRole, clusterRoles, matchesSelector, type PolicyRule, qualifiedPlural } from "#api";
import { deepEqual, type Log, Wake } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { ObjectApi } from "../object-api.ts";
import { plainWrite } from "../write/write-request.ts";

const resource = qualifiedPlural(clusterRoles);
const manager = "clusterrole-aggregation-controller";

/** The union of the rules of all roles that match, by their names; undefined for a role that gathers nothing. Pure. */
export function aggregatedRules(role: ClusterRole, others: readonly ClusterRole[]): PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  if (selectors.length === 0) return undefined;
  const gathered: PolicyRule[] = [];
  for (const other of others) {
    if (other.metadata.name === role.metadata.name) continue;
    if (!selectors.some((selector) => matchesSelector(selector, other.metadata.labels))) continue;
    for (const rule of other.rules ?? []) {
      if (!gathered.some((known) => deepEqual(known, rule))) gathered.push(rule);
    }
  }
  return gathered;
}

export class RoleAggregation implements Disposable {
  readonly #objects: ObjectApi;
  readonly #log: Log;
  readonly #wake = new Wake();
  readonly #observation: Disposable;

  /** Gathers once before it returns, so that nobody finds a role without its rules. */
  constructor(objects: ObjectApi, log: Log) {
    this.#objects = objects;
    this.#log = log;
    this.#settle();
    this.#observation = objects.store.observe(({ key }) => {
      if (key.resource === resource) this.#wake.notify();
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#settle();
      await this.#wake.wait(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  /** Roles may gather from roles that gather: again until nothing changes, at most once for each role in a chain. */
  #settle(): void {
    const { store } = this.#objects;
    for (let left = store.list(resource).length; left > 0 && this.#gather(); left -= 1);
  }

  #gather(): boolean {
    const { kinds, store } = this.#objects;
    const kind = kinds.find(clusterRoles.group, clusterRoles.version, clusterRoles.plural);
    const all = store.list(resource) as unknown as readonly ClusterRole[];
    let changed = false;
    for (const role of all) {
      const rules = aggregatedRules(role, all);
      if (kind === undefined || rules === undefined || deepEqual(rules, role.rules ?? [])) continue;
      const { name } = role.metadata;
      try {
        this.#objects.update(kind, { name }, { ...role, rules }, plainWrite(manager));
        changed = true;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        this.#log.warn("Gathering the rules of a ClusterRole failed", { name, error });
      }
    }
    return changed;
  }
}
