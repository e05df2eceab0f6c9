/**
 * What of a node is taken, kept up to date pod by pod, so that placing one does not look at all others: requests and
 * their number as sums, and apart from the rest those few pods that care who is beside them.
 */
import type { Pod } from "#api";
import { podRequests } from "./pod-requests.ts";

interface Place {
  readonly pod: Pod;
  readonly requests: ReadonlyMap<string, number>;
}

export class Occupancy {
  readonly #places = new Map<string, Place>();
  readonly #used = new Map<string, number>();
  readonly #wary = new Set<string>();

  /** Takes the pod in, in place of what was known of it. */
  put(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    this.remove(uid);
    const requests = podRequests(pod);
    this.#places.set(uid, { pod, requests });
    this.#count(requests, 1);
    if (pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined)
      this.#wary.add(uid);
  }

  remove(uid: string): void {
    const known = this.#places.get(uid);
    if (known === undefined) return;
    this.#places.delete(uid);
    this.#wary.delete(uid);
    this.#count(known.requests, -1);
  }

  has(uid: string): boolean {
    return this.#places.has(uid);
  }

  get count(): number {
    return this.#places.size;
  }

  /** In thousandths. */
  used(resource: string): number {
    return this.#used.get(resource) ?? 0;
  }

  pods(): Iterable<Pod> {
    return this.#places.values().map(({ pod }) => pod);
  }

  /** Those that will not have some others beside them. */
  wary(): Iterable<Pod> {
    return this.#wary.values().flatMap((uid) => {
      const place = this.#places.get(uid);
      return place === undefined ? [] : [place.pod];
    });
  }

  #count(requests: ReadonlyMap<string, number>, sign: 1 | -1): void {
    for (const [resource, milli] of requests) this.#used.set(resource, this.used(resource) + sign * milli);
  }
}
