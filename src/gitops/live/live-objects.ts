/**
 * The live objects of the kinds that Applications use, kept by informers, found by identity or by the Application they
 * belong to. What this process itself wrote is in it at once, before the informer brings it: otherwise a sync would
 * compare with the past and apply twice.
 */
import { apiVersionOf, type AnyObject, type ResourceType } from "#api";
import type { Informer, InformerEvent, Informers } from "#controller";
import { keyOfObject, keyText, type ObjectKey } from "../object-key.ts";
import { ownerInstance } from "../tracking.ts";

export class LiveObjects implements Disposable {
  readonly #informers: Informers;
  readonly #objects = new Map<string, AnyObject>();
  /** keyText → the version that was deleted; older news of it is stale. */
  readonly #deleted = new Map<string, number>();
  readonly #byInstance = new Map<string, Map<string, AnyObject>>();
  readonly #watched = new Map<string, Informer<AnyObject>>();
  readonly #subscriptions = new DisposableStack();
  readonly #onChange: (instance: string) => void;

  /** @param onChange told of every Application instance whose objects changed */
  constructor(informers: Informers, onChange: (instance: string) => void) {
    this.#informers = informers;
    this.#onChange = onChange;
  }

  /** Resolves when all objects of the kinds are known. Kinds once asked for stay watched. */
  async watch(types: Iterable<ResourceType>): Promise<void> {
    for (const type of types) {
      const name = `${apiVersionOf(type)}/${type.plural}`;
      if (this.#watched.has(name)) continue;
      const informer = this.#informers.for<AnyObject>(type);
      this.#watched.set(name, informer);
      this.#subscriptions.use(informer.subscribe((event) => this.#take(event)));
    }
    await Promise.all([...this.#watched.values()].map((informer) => informer.synced()));
  }

  get(key: ObjectKey): AnyObject | undefined {
    return this.#objects.get(keyText(key));
  }

  /** Everything that carries the instance's mark. */
  managedBy(instance: string): readonly AnyObject[] {
    return [...(this.#byInstance.get(instance)?.values() ?? [])];
  }

  /** Takes in what a write returned. */
  note(object: AnyObject): void {
    const text = keyText(keyOfObject(object));
    if (!this.#isStale(text, object)) this.#set(text, object);
  }

  noteDeleted(object: AnyObject): void {
    const text = keyText(keyOfObject(object));
    this.#deleted.set(text, versionOf(object));
    this.#remove(text);
  }

  [Symbol.dispose](): void {
    this.#subscriptions[Symbol.dispose]();
  }

  #take(event: InformerEvent<AnyObject>): void {
    const { object } = event;
    const text = keyText(keyOfObject(object));
    const before = this.#objects.get(text);
    if (event.type === "deleted") {
      // Nothing older can follow from the informer, so the mark against older news has done its work.
      this.#deleted.delete(text);
      if (before !== undefined && versionOf(object) < versionOf(before)) return;
      this.#remove(text);
    } else {
      if (this.#isStale(text, object)) return;
      this.#deleted.delete(text);
      this.#set(text, object);
    }
    const owners = new Set([ownerInstance(object), before === undefined ? undefined : ownerInstance(before)]);
    for (const owner of owners) if (owner !== undefined) this.#onChange(owner);
  }

  /** Versions grow; an older one than what we hold, or than what we deleted, is news of the past. */
  #isStale(text: string, object: AnyObject): boolean {
    const version = versionOf(object);
    const held = this.#objects.get(text);
    if (held !== undefined && version < versionOf(held)) return true;
    return version <= (this.#deleted.get(text) ?? -1);
  }

  #set(text: string, object: AnyObject): void {
    this.#remove(text);
    this.#objects.set(text, object);
    const owner = ownerInstance(object);
    if (owner === undefined) return;
    const members = this.#byInstance.get(owner) ?? new Map<string, AnyObject>();
    members.set(text, object);
    this.#byInstance.set(owner, members);
  }

  #remove(text: string): void {
    const held = this.#objects.get(text);
    if (held === undefined) return;
    this.#objects.delete(text);
    const owner = ownerInstance(held);
    const members = owner === undefined ? undefined : this.#byInstance.get(owner);
    members?.delete(text);
    if (owner !== undefined && members?.size === 0) this.#byInstance.delete(owner);
  }
}

/** Opaque by contract, a growing number in every implementation; 0 when it is none, which switches the check off. */
function versionOf(object: AnyObject): number {
  const version = Number(object.metadata.resourceVersion ?? "0");
  return Number.isSafeInteger(version) ? version : 0;
}
