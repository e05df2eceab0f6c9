/** The taint of a cordoned node, and which pods a taint drives away: pure, upstream's rules. */
import type { Node, Pod } from "#api";
import { isEnded } from "../pod-state.ts";
import { isTolerated, unschedulableTaint } from "../scheduling/fits-node.ts";

export type NodeTaint = NonNullable<NonNullable<Node["spec"]>["taints"]>[number];

/** The taints that the node should have; undefined when it has them. */
export function wantedTaints({ spec }: Node, timeAdded: string): readonly NodeTaint[] | undefined {
  const present = spec?.taints ?? [];
  const others = present.filter(
    ({ key, effect }) => key !== unschedulableTaint.key || effect !== unschedulableTaint.effect,
  );
  const tainted = others.length < present.length;
  const cordoned = spec?.unschedulable === true;
  if (tainted === cordoned) return undefined;
  return cordoned ? [...others, { ...unschedulableTaint, timeAdded }] : others;
}

/**
 * When a pod on the node has to go: at once where it does not tolerate a `NoExecute` taint, after the shortest
 * `tolerationSeconds` where it tolerates all of them only so long; undefined where it may stay.
 *
 * @param sinceMs when the taints were first seen together with the pod
 */
export function evictionMs(node: Node, pod: Pod, sinceMs: number): number | undefined {
  const bound = pod.spec.nodeName === node.metadata.name;
  if (!bound || isEnded(pod) || pod.metadata.deletionTimestamp !== undefined) return undefined;
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  const limits = taints.map((taint) => {
    const using = (pod.spec.tolerations ?? []).filter((toleration) => isTolerated(taint, [toleration]));
    if (using.length === 0) return 0;
    return Math.min(...using.map(({ tolerationSeconds }) => Math.max(0, tolerationSeconds ?? Infinity)));
  });
  const seconds = Math.min(Infinity, ...limits);
  return Number.isFinite(seconds) ? sinceMs + seconds * 1000 : undefined;
}
