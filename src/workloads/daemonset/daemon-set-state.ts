/** What a plan for a DaemonSet is made of and made for: data. */
import type { DaemonSet, Node, Pod } from "#api";
import type { EventText } from "#controller";
import { scaledShare } from "../deployment/bounds.ts";

export interface DaemonSetObserved {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Its own. */
  readonly pods: readonly Pod[];
  /** Of the present revision. */
  readonly hash: string;
  /** Nodes on which a failed pod was replaced a short while ago, and when the next may be. */
  readonly backingOff: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

export type DaemonSetAction =
  | { readonly kind: "create"; readonly nodes: readonly string[] }
  | { readonly kind: "delete"; readonly pods: readonly Pod[] }
  /** A failed pod is taken away, to be made anew. */
  | { readonly kind: "replace"; readonly node: string; readonly pod: Pod; readonly text: EventText };

export type DaemonSetStatus = NonNullable<DaemonSet["status"]>;

export interface DaemonSetPlan {
  readonly actions: readonly DaemonSetAction[];
  readonly status: DaemonSetStatus;
  readonly wakeAtMs: number | undefined;
}

/** What is on one node. */
export interface NodeState {
  readonly node: Node;
  readonly run: boolean;
  readonly stay: boolean;
  /** Oldest first, those on their way out included. */
  readonly pods: readonly Pod[];
}

export function surgeOf({ spec }: DaemonSet, nodes: number): number {
  if (spec.updateStrategy?.type === "OnDelete") return 0;
  return scaledShare(spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0, nodes, Math.ceil);
}
