/**
 * Every object in memory, parsed and frozen, so that reads cost no query and no parsing. The files are for durability;
 * this is filled from them at start and changes only after a commit.
 */
import type { AnyObject } from "#api";
import { comparePlaces, type ObjectKey } from "./object-key.ts";

export class Collection {
  /** resource → namespace → name → object */
  readonly #objects = new Map<string, Map<string, Map<string, AnyObject>>>();
  readonly #byUid = new Map<string, ObjectKey>();
  readonly #byOwner = new Map<string, Map<string, ObjectKey>>();

  get(key: ObjectKey): AnyObject | undefined {
    return this.#objects.get(key.resource)?.get(key.namespace)?.get(key.name);
  }

  /** In the order of lists. */
  list(resource: string, namespace?: string): AnyObject[] {
    const places = this.#objects.get(resource);
    if (places === undefined) return [];
    if (namespace !== undefined) return sortedByName(places.get(namespace));
    return [...places.keys()].sort().flatMap((place) => sortedByName(places.get(place)));
  }

  resources(): string[] {
    return [...this.#objects.keys()];
  }

  keyOfUid(uid: string): ObjectKey | undefined {
    return this.#byUid.get(uid);
  }

  /** Objects whose ownerReferences name this uid. */
  dependents(ownerUid: string): ObjectKey[] {
    return [...(this.#byOwner.get(ownerUid)?.values() ?? [])].sort(
      (a, b) => (a.resource === b.resource ? 0 : a.resource < b.resource ? -1 : 1) || comparePlaces(a, b),
    );
  }

  put(key: ObjectKey, object: AnyObject): void {
    this.#unindex(key, this.get(key));
    let places = this.#objects.get(key.resource);
    if (places === undefined) this.#objects.set(key.resource, (places = new Map()));
    let names = places.get(key.namespace);
    if (names === undefined) places.set(key.namespace, (names = new Map()));
    names.set(key.name, object);
    if (object.metadata.uid !== undefined) this.#byUid.set(object.metadata.uid, key);
    for (const owner of object.metadata.ownerReferences ?? []) {
      let owned = this.#byOwner.get(owner.uid);
      if (owned === undefined) this.#byOwner.set(owner.uid, (owned = new Map()));
      owned.set(pathOf(key), key);
    }
  }

  remove(key: ObjectKey): void {
    this.#unindex(key, this.get(key));
    const places = this.#objects.get(key.resource);
    const names = places?.get(key.namespace);
    names?.delete(key.name);
    if (names?.size === 0) places?.delete(key.namespace);
  }

  #unindex(key: ObjectKey, object: AnyObject | undefined): void {
    if (object === undefined) return;
    if (object.metadata.uid !== undefined) this.#byUid.delete(object.metadata.uid);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const owned = this.#byOwner.get(owner.uid);
      owned?.delete(pathOf(key));
      if (owned?.size === 0) this.#byOwner.delete(owner.uid);
    }
  }
}

function pathOf(key: ObjectKey): string {
  return `${key.resource}/${key.namespace}/${key.name}`;
}

function sortedByName(names: ReadonlyMap<string, AnyObject> | undefined): AnyObject[] {
  if (names === undefined) return [];
  return [...names.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, object]) => object);
}
