/**
 * Pods this process created or deleted and the cache has not shown yet. Without it a reconcile that reads the cache a
 * moment too early would create a pod again. It lives in memory only: after a restart the cache begins with a complete
 * list, which has all that was ever written.
 */
import type { Pod } from "#api";
import type { Informer } from "#controller";
import type { Clock } from "#lib";

/** After this a created pod that the cache never showed is taken for gone; upstream waits as long. */
const patienceMs = 300_000;

type PodCache = Pick<Informer<Pod>, "get" | "list" | "subscribe">;

export class PendingPods implements Disposable {
  readonly #created = new Map<string, { readonly pod: Pod; readonly atMs: number }>();
  readonly #deleted = new Set<string>();
  readonly #pods: PodCache;
  readonly #subscription: Disposable;

  readonly #clock: Clock;

  constructor(pods: PodCache, clock: Clock) {
    this.#pods = pods;
    this.#clock = clock;
    this.#subscription = pods.subscribe((event) => {
      const { uid = "", deletionTimestamp } = event.object.metadata;
      this.#created.delete(uid);
      if (event.type === "deleted" || deletionTimestamp !== undefined) this.#deleted.delete(uid);
      if (event.type === "updated") this.#deleted.delete(replacedUid(event.old, event.object));
    });
  }

  created(pod: Pod): void {
    const { namespace = "", name, uid = "" } = pod.metadata;
    // The event may have come before the answer to the create.
    if (this.#pods.get(namespace, name)?.metadata.uid !== uid) {
      this.#created.set(uid, { pod, atMs: this.#clock.monotonicMs() });
    }
  }

  deleted(pod: Pod): void {
    const { namespace = "", name, uid = "" } = pod.metadata;
    const present = this.#pods.get(namespace, name);
    const seen = present?.metadata.uid !== uid || present.metadata.deletionTimestamp !== undefined;
    if (!seen) this.#deleted.add(uid);
  }

  /** The namespace's pods as they are after our own writes. */
  list(namespace: string): Pod[] {
    const cached = this.#pods.list(namespace).filter((pod) => !this.#deleted.has(pod.metadata.uid ?? ""));
    const oldest = this.#clock.monotonicMs() - patienceMs;
    const created = [...this.#created.values()].filter(({ atMs }) => atMs > oldest).map(({ pod }) => pod);
    return [...cached, ...created.filter((pod) => pod.metadata.namespace === namespace)];
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}

/** The uid of a pod whose name was taken over by another, "" when it is the same one. */
function replacedUid(old: Pod, present: Pod): string {
  return old.metadata.uid === present.metadata.uid ? "" : (old.metadata.uid ?? "");
}
