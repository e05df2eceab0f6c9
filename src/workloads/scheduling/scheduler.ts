/**
 * Decides which pods the node takes. What it said yes to counts from that moment on, before the pod's `nodeName` has
 * come back from the store: two pods that fit alone do not both get the last room.
 */
import type { Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod } from "#api";
import type { Informer } from "#controller";
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
  readonly #assumed = new Map<string, Pod>();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Whether this scheduler is the one that the pod asks for. */
  isFor({ spec }: Pod): boolean {
    const wanted = spec.schedulerName ?? schedulerName;
    return wanted === schedulerName || wanted === "";
  }

  /** A yes holds the room until the pod is bound or let go. */
  place(pod: Pod): Placement {
    const { nodes, namespaces, nodeName } = this.#parts;
    const placement = placePod({
      pod,
      node: nodes.get("", nodeName),
      placed: this.#placed(pod),
      claimProblem: this.#claimProblem(pod),
      namespaceLabels: (name) => namespaces.get("", name)?.metadata.labels,
    });
    if (placement.kind === "fits") this.#assumed.set(pod.metadata.uid ?? "", pod);
    return placement;
  }

  /** The pod is bound in the store, or gone. */
  settle(uid: string): void {
    this.#assumed.delete(uid);
  }

  #placed(pod: Pod): Pod[] {
    const { pods, nodeName } = this.#parts;
    const bound = pods.list().filter((other) => other.spec.nodeName === nodeName && !isEnded(other));
    const uids = new Set(bound.map(({ metadata }) => metadata.uid));
    const assumed = [...this.#assumed.values()].filter(({ metadata }) => !uids.has(metadata.uid));
    return [...bound, ...assumed].filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
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
