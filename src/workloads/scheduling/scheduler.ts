/**
 * Decides which pods the node takes. What it said yes to counts from that moment on, before the pod's `nodeName` has
 * come back from the store: two pods that fit alone do not both get the last room.
 */
import type { Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod } from "#api";
import type { Informer } from "#controller";
import { Occupancy } from "./occupancy.ts";
import { type Placement, placePod } from "./place-pod.ts";
import { isEnded } from "../pod-state.ts";

export interface SchedulerParts {
  readonly nodeName: string;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly namespaces: Informer<Namespace>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
}

/** Upstream's default; a pod that names another waits for that one. */
const schedulerName = "default-scheduler";

export class Scheduler {
  readonly #parts: SchedulerParts;
  /** Placed pods, and those that were told yes. */
  readonly #placed = new Occupancy();
  /** Told yes, and not yet seen to be bound. */
  readonly #assumed = new Set<string>();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Keeps count of the node's pods until disposed. */
  follow(): Disposable {
    return this.#parts.pods.subscribe((event) => {
      const { object } = event;
      if (event.type === "updated" && event.old.metadata.uid !== object.metadata.uid) this.#forget(event.old);
      const isHere = object.spec.nodeName === this.#parts.nodeName;
      if (event.type === "deleted" || isEnded(object)) this.#forget(object);
      else if (isHere) this.#placed.put(object);
      if (isHere) this.#assumed.delete(object.metadata.uid ?? "");
    });
  }

  /** Whether this scheduler is the one that the pod asks for. */
  isFor({ spec }: Pod): boolean {
    const wanted = spec.schedulerName ?? schedulerName;
    return wanted === schedulerName || wanted === "";
  }

  /** A yes holds the room until the pod is bound or let go. */
  place(pod: Pod): Placement {
    const { nodes, namespaces, nodeName } = this.#parts;
    const uid = pod.metadata.uid ?? "";
    // Asked again for a pod that was told yes: its own room does not count against it.
    if (this.#assumed.has(uid)) this.settle(uid);
    const placement = placePod({
      pod,
      node: nodes.get("", nodeName),
      placed: this.#placed,
      claimProblem: this.#claimProblem(pod),
      namespaceLabels: (name) => namespaces.get("", name)?.metadata.labels,
    });
    if (placement.kind !== "fits") return placement;
    this.#assumed.add(uid);
    this.#placed.put(pod);
    return placement;
  }

  /** The pod was told yes, and is let go before it was bound. */
  settle(uid: string): void {
    if (this.#assumed.delete(uid)) this.#placed.remove(uid);
  }

  #forget({ metadata }: Pod): void {
    this.#assumed.delete(metadata.uid ?? "");
    this.#placed.remove(metadata.uid ?? "");
  }

  #claimProblem({ metadata, spec }: Pod): string | undefined {
    for (const { persistentVolumeClaim } of spec.volumes ?? []) {
      if (persistentVolumeClaim === undefined) continue;
      const { claimName } = persistentVolumeClaim;
      const claim = this.#parts.claims.get(metadata.namespace ?? "", claimName);
      if (claim === undefined) return `persistentvolumeclaim "${claimName}" not found`;
      if (claim.metadata.deletionTimestamp !== undefined) {
        return `persistentvolumeclaim "${claimName}" is being deleted`;
      }
      const volume = claim.spec.volumeName ?? "";
      // A volume that the claim only names may be another's.
      if (volume === "" || claim.status?.phase !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
      if (this.#parts.volumes.get("", volume) === undefined) return `persistentvolume "${volume}" not found`;
    }
    return undefined;
  }
}
