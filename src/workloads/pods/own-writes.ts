/**
 * The cache as it is after our own writes. A reconcile that reads the cache a moment too early would do its work again:
 * create a second pod, count one twice. It lives in memory only: after a restart the cache begins with a complete list,
 * which has all that was ever written.
 */
import type { KubeObject } from "#api";
import type { Informer } from "#controller";
import { type Clock, toTimestamp } from "#lib";

/** After this a written object that the cache never showed is taken for gone; upstream waits as long. */
const patienceMs = 300_000;

type Cache<T extends KubeObject> = Pick<Informer<T>, "get" | "list" | "subscribe">;

export class OwnWrites<T extends KubeObject> implements Disposable {
  readonly #written = new Map<string, { readonly object: T; readonly atMs: number }>();
  readonly #cache: Cache<T>;
  readonly #clock: Clock;
  readonly #subscription: Disposable;

  constructor(cache: Cache<T>, clock: Clock) {
    this.#cache = cache;
    this.#clock = clock;
    this.#subscription = cache.subscribe((event) => {
      if (event.type === "deleted" || this.#isCaughtUp(event.object)) this.#written.delete(uidOf(event.object));
      // Deleted and made again under the same name between two looks of the cache.
      if (event.type === "updated" && uidOf(event.old) !== uidOf(event.object)) this.#written.delete(uidOf(event.old));
    });
  }

  /** What a create, update or patch answered. */
  written(object: T): void {
    const { namespace = "", name } = object.metadata;
    const present = this.#cache.get(namespace, name);
    // The event may have come before the answer.
    if (present !== undefined && uidOf(present) === uidOf(object) && versionOf(present) >= versionOf(object)) return;
    this.#written.set(uidOf(object), { object, atMs: this.#clock.monotonicMs() });
  }

  /** What a delete was accepted of: it is on its way out from now on, until the cache says that it is gone. */
  deleted(object: T): void {
    const { namespace = "", name } = object.metadata;
    const present = this.#cache.get(namespace, name);
    const known = this.#written.get(uidOf(object))?.object ?? present;
    if (known === undefined || uidOf(known) !== uidOf(object)) return;
    if (known.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = toTimestamp(this.#clock.now());
    const going = { ...known, metadata: { ...known.metadata, deletionTimestamp } };
    this.#written.set(uidOf(object), { object: going, atMs: this.#clock.monotonicMs() });
  }

  get(namespace: string, name: string): T | undefined {
    const cached = this.#cache.get(namespace, name);
    if (cached !== undefined) return this.#written.get(uidOf(cached))?.object ?? cached;
    return this.#added(namespace, new Set()).find((object) => object.metadata.name === name);
  }

  list(namespace: string): T[] {
    const cached = this.#cache.list(namespace);
    if (this.#written.size === 0) return [...cached];
    const added = this.#added(namespace, new Set(cached.map(uidOf)));
    const shown = cached.map((object) => this.#written.get(uidOf(object))?.object ?? object);
    return [...shown, ...added];
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  /** What was written and the cache does not know of at all. */
  #added(namespace: string, known: ReadonlySet<string>): T[] {
    const oldest = this.#clock.monotonicMs() - patienceMs;
    return [...this.#written.values()]
      .filter(({ object, atMs }) => atMs > oldest && object.metadata.namespace === namespace)
      .map(({ object }) => object)
      .filter((object) => !known.has(uidOf(object)));
  }

  #isCaughtUp(object: T): boolean {
    const ours = this.#written.get(uidOf(object))?.object;
    if (ours === undefined) return false;
    const deleting = ours.metadata.deletionTimestamp !== undefined;
    return versionOf(object) >= versionOf(ours) && (!deleting || object.metadata.deletionTimestamp !== undefined);
  }
}

function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? "";
}

/** Versions of one embedded cluster are whole numbers that only grow. */
function versionOf({ metadata }: KubeObject): number {
  return Number(metadata.resourceVersion ?? 0) || 0;
}
