/** Whether a pod may be on a node: pure, upstream's predicates of selector, affinity and taints, and its words. */
import type { Node, NodeSelectorTerm, Pod, PodSpec, Toleration } from "#api";

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

/** What `kubectl cordon` asks pods to tolerate. */
export const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Why a pod may not be put on the node, in the words of `FailedScheduling`; undefined when it may. */
export function schedulingProblem(pod: Pod, node: Node): string | undefined {
  const { spec } = pod;
  if (node.spec?.unschedulable === true && !isTolerated(unschedulableTaint, spec.tolerations)) {
    return "node(s) were unschedulable";
  }
  const named = spec.nodeName ?? "";
  if (named !== "" && named !== node.metadata.name) return "node(s) didn't match the requested node name";
  const taint = untoleratedTaint(node, spec.tolerations, ["NoSchedule", "NoExecute"]);
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  if (!matchesNode(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  return undefined;
}

/** `nodeSelector` and the required part of `nodeAffinity`. */
export function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  if (!selected) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // Terms are alternatives; no term at all matches nothing.
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  // An empty term matches nothing either.
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const byLabel = matchExpressions.every((rule) => matchesRule(rule, metadata.labels?.[rule.key]));
  return byLabel && matchFields.every((rule) => rule.key === "metadata.name" && matchesRule(rule, metadata.name));
}

function matchesRule(
  { operator, values = [] }: { readonly operator: string; readonly values?: readonly string[] },
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      if (value === undefined || !isInteger(value) || !isInteger(values[0] ?? "")) return false;
      return operator === "Gt" ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
    }
    default:
      return false;
  }
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text);
}

/** The first taint of one of these effects that the pod does not tolerate. */
export function untoleratedTaint(
  node: Node,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return node.spec?.taints?.find((taint) => effects.includes(taint.effect) && !isTolerated(taint, tolerations));
}

/** A toleration without an effect is for all effects, one without a key for all keys (with `Exists`). */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[] | undefined): boolean {
  return (tolerations ?? []).some(({ key = "", operator, value = "", effect = "" }) => {
    if (effect !== "" && effect !== taint.effect) return false;
    if (key !== "" && key !== taint.key) return false;
    if (operator === "Exists") return true;
    return key !== "" && value === (taint.value ?? "");
  });
}
