/**
 * Who is bound to which role, ready to be asked. Kept up with every change, so that a request costs what its user's
 * own bindings cost, and nothing for everybody else's.
 *
 * Invariant: after each commit the index says what the stored bindings say.
 */
import { clusterRoleBindings, qualifiedPlural, type RoleBinding, roleBindings, type Subject } from "#api";
import type { AnyObject } from "#api";
import { serviceAccountUserName } from "../authentication/user.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import type { StoreChange } from "../../store/store-event.ts";

const clusterWide = qualifiedPlural(clusterRoleBindings);
const namespaced = qualifiedPlural(roleBindings);

/** By the name of the binding. */
type Bindings = Map<string, RoleBinding>;

export class BindingIndex implements Disposable {
  /** namespace ("" for cluster-wide bindings) → subject → bindings */
  readonly #bySubject = new Map<string, Map<string, Bindings>>();
  readonly #observation: Disposable;

  constructor(store: ObjectStore) {
    for (const resource of [clusterWide, namespaced]) {
      for (const binding of store.list(resource)) this.#put(binding);
    }
    this.#observation = store.observe((change) => this.#see(change));
  }

  /** The bindings that apply to the user in one namespace, or cluster-wide (""), by name. */
  bindingsOf(user: KubeUser, namespace: string): readonly RoleBinding[] {
    const subjects = this.#bySubject.get(namespace);
    if (subjects === undefined) return [];
    const found: Bindings = new Map();
    for (const key of [userKey(user.name), ...user.groups.map(groupKey)]) {
      for (const [name, binding] of subjects.get(key) ?? []) found.set(name, binding);
    }
    if (found.size < 2) return [...found.values()];
    return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, binding]) => binding);
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  #see(change: StoreChange): void {
    const { resource } = change.key;
    if (resource !== clusterWide && resource !== namespaced) return;
    if (change.previous !== undefined) this.#drop(change.previous);
    if (change.type !== "DELETED") this.#put(change.object);
  }

  #put(object: AnyObject): void {
    const binding = object as unknown as RoleBinding;
    const namespace = binding.metadata.namespace ?? "";
    let subjects = this.#bySubject.get(namespace);
    if (subjects === undefined) this.#bySubject.set(namespace, (subjects = new Map()));
    for (const key of subjectKeys(binding)) {
      let bindings = subjects.get(key);
      if (bindings === undefined) subjects.set(key, (bindings = new Map()));
      bindings.set(binding.metadata.name, binding);
    }
  }

  #drop(object: AnyObject): void {
    const binding = object as unknown as RoleBinding;
    const namespace = binding.metadata.namespace ?? "";
    const subjects = this.#bySubject.get(namespace);
    for (const key of subjectKeys(binding)) {
      const bindings = subjects?.get(key);
      bindings?.delete(binding.metadata.name);
      if (bindings?.size === 0) subjects?.delete(key);
    }
    if (subjects?.size === 0) this.#bySubject.delete(namespace);
  }
}

/** The first subject of the binding that the user is. */
export function subjectOf(binding: RoleBinding, user: KubeUser): Subject | undefined {
  const keys = new Set([userKey(user.name), ...user.groups.map(groupKey)]);
  return (binding.subjects ?? []).find((subject) => {
    const key = subjectKey(subject, binding.metadata.namespace ?? "");
    return key !== undefined && keys.has(key);
  });
}

function subjectKeys(binding: RoleBinding): string[] {
  return (binding.subjects ?? []).flatMap((subject) => {
    const key = subjectKey(subject, binding.metadata.namespace ?? "");
    return key === undefined ? [] : [key];
  });
}

/** A service account is the user of its name; without a namespace it is of the binding's. */
function subjectKey({ kind, name, namespace = "" }: Subject, bindingNamespace: string): string | undefined {
  switch (kind) {
    case "User":
      return userKey(name);
    case "Group":
      return groupKey(name);
    case "ServiceAccount": {
      const home = namespace === "" ? bindingNamespace : namespace;
      return home === "" ? undefined : userKey(serviceAccountUserName(home, name));
    }
    default:
      return undefined;
  }
}

function userKey(name: string): string {
  return `u:${name}`;
}

function groupKey(name: string): string {
  return `g:${name}`;
}
