/**
 * A cache of one kind, kept by list and watch. After an `Expired` or broken watch it lists again and tells the
 * subscribers the difference, so they never miss a change and never see one twice in a row.
 */
import { type KubeObject, type ResourceType } from "#api";
import { backoffDelayMs, type Backoff, type Clock, isAbort, type Log } from "#lib";
import { type Cluster, isKubeError, type WatchEvent } from "#kube";

export type InformerEvent<T> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "updated"; readonly object: T; readonly old: T }
  | { readonly type: "deleted"; readonly object: T };

export interface InformerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Log;
}

const relistBackoff: Backoff = { initialMs: 50, factor: 2, maxMs: 10_000, jitter: 0 };

/** The kinds of one group-version-plural share one informer; see `Informers`. */
export class Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly #options: InformerOptions;
  readonly #objects = new Map<string, T>();
  readonly #byNamespace = new Map<string, Map<string, T>>();
  readonly #byOwner = new Map<string, Map<string, T>>();
  readonly #handlers = new Set<(event: InformerEvent<T>) => void>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(type: ResourceType<T>, options: InformerOptions) {
    this.type = type;
    this.#options = options;
    // Nobody may be waiting when a run ends before the first list: that is no unhandled failure.
    this.#synced.promise.catch(() => {});
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  /** All cached objects, or those of one namespace. Treat them as frozen. */
  list(namespace?: string): readonly T[] {
    const source = namespace === undefined ? this.#objects : this.#byNamespace.get(namespace);
    return source === undefined ? [] : [...source.values()];
  }

  /** Objects that name `uid` among their owners. */
  ownedBy(uid: string): readonly T[] {
    return [...(this.#byOwner.get(uid)?.values() ?? [])];
  }

  /** Hands over every later change, in order; what is cached now is handed over first, as added. */
  subscribe(handler: (event: InformerEvent<T>) => void): Disposable {
    for (const object of this.#objects.values()) handler({ type: "added", object });
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /** Resolves after the first complete list. */
  async synced(): Promise<void> {
    await this.#synced.promise;
  }

  /** Keeps the cache until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const list = await this.#options.cluster.list(this.type, { signal });
        this.#replace(list.items);
        this.#synced.resolve();
        failures = 0;
        const events = this.#options.cluster.watch(this.type, { resourceVersion: list.resourceVersion, signal });
        for await (const event of events) this.#take(event);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        if (isKubeError(error, "Expired")) continue;
        this.#options.log.warn("Watch broke, listing again", { kind: this.type.kind, error });
        await this.#options.clock.sleep(backoffDelayMs(relistBackoff, failures++, 0), signal).catch(() => {});
      }
    }
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") return;
    if (event.type === "DELETED") this.#remove(keyOf(event.object), event.object);
    else this.#set(event.object);
  }

  #replace(items: readonly T[]): void {
    const present = new Set(items.map(keyOf));
    for (const [key, object] of this.#objects) {
      if (!present.has(key)) this.#remove(key, object);
    }
    for (const object of items) this.#set(object);
  }

  #set(object: T): void {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    if (old !== undefined) this.#unindex(key, old);
    this.#objects.set(key, object);
    this.#index(key, object);
    this.#emit(old === undefined ? { type: "added", object } : { type: "updated", object, old });
  }

  #remove(key: string, last: T): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    this.#unindex(key, old);
    this.#emit({ type: "deleted", object: last });
  }

  #emit(event: InformerEvent<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(event);
      } catch (error) {
        this.#options.log.error("Informer subscriber failed", { kind: this.type.kind, error });
      }
    }
  }

  #index(key: string, object: T): void {
    addTo(this.#byNamespace, object.metadata.namespace ?? "", key, object);
    for (const owner of object.metadata.ownerReferences ?? []) addTo(this.#byOwner, owner.uid, key, object);
  }

  #unindex(key: string, object: T): void {
    removeFrom(this.#byNamespace, object.metadata.namespace ?? "", key);
    for (const owner of object.metadata.ownerReferences ?? []) removeFrom(this.#byOwner, owner.uid, key);
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function addTo<T>(index: Map<string, Map<string, T>>, group: string, key: string, object: T): void {
  const members = index.get(group);
  if (members === undefined) index.set(group, new Map([[key, object]]));
  else members.set(key, object);
}

function removeFrom<T>(index: Map<string, Map<string, T>>, group: string, key: string): void {
  const members = index.get(group);
  members?.delete(key);
  if (members?.size === 0) index.delete(group);
}
