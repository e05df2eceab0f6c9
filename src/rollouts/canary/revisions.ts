/** Which ReplicaSet is the desired revision, which the stable one, and what a new one looks like. */
import {
  apiVersionOf,
  controllerOf,
  desiredReplicasAnnotation,
  podTemplateHashLabel,
  type ReplicaSet,
  replicaSets,
  revisionAnnotation,
  type Rollout,
  rollouts,
} from "#api";
import { isSameTemplate, podTemplateHash, templateDigest } from "./pod-template.ts";
import type { SetSize } from "./replica-counts.ts";

/** On a ReplicaSet: digest of the template it was made from, so that two templates with one short hash stay apart. */
const templateDigestAnnotation = "tidegate.dev/template-digest";

export interface Revisions {
  /** Hash of the desired revision, whether its ReplicaSet is there or not. */
  readonly hash: string;
  readonly collisionCount: number;
  readonly desired: ReplicaSet | undefined;
  /** The one last promoted; the same object as `desired` when that is it. */
  readonly stable: ReplicaSet | undefined;
  readonly others: readonly ReplicaSet[];
  /** Number of the desired revision. */
  readonly number: number;
}

export function hashOf(set: ReplicaSet): string {
  return set.metadata.labels?.[podTemplateHashLabel] ?? "";
}

export function revisionOf(object: { readonly metadata: { readonly annotations?: Record<string, string> } }): number {
  return Number(object.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

export function sizeOf(set: ReplicaSet): SetSize {
  return { spec: set.spec.replicas ?? 1, available: set.status?.availableReplicas ?? 0 };
}

/**
 * Finds the desired revision's ReplicaSet: first by our own hash, then by an equal template. The second keeps a cluster
 * that another version or Argo Rollouts has run from being redeployed when we take over.
 */
export function findRevisions(rollout: Rollout, sets: readonly ReplicaSet[]): Revisions {
  const oldestFirst = sets.toSorted(byAge);
  const { hash: ownHash, collisionCount } = freeHash(rollout, oldestFirst);
  const desired =
    oldestFirst.find((set) => hashOf(set) === ownHash) ??
    oldestFirst.find((set) => hashOf(set) !== "" && isSameTemplate(set.spec.template, rollout.spec.template));
  const hash = desired === undefined ? ownHash : hashOf(desired);
  const stableHash = rollout.status?.stableRS ?? "";
  const stable = stableHash === "" ? undefined : sets.find((set) => hashOf(set) === stableHash);
  const others = sets.filter((set) => set !== desired && set !== stable);
  const newestOther = Math.max(0, ...sets.filter((set) => set !== desired).map(revisionOf));
  return { hash, collisionCount, desired, stable, others, number: newestOther + 1 };
}

/** The hash that no other template's ReplicaSet has. */
function freeHash(rollout: Rollout, sets: readonly ReplicaSet[]): { hash: string; collisionCount: number } {
  const { template } = rollout.spec;
  let collisionCount = rollout.status?.collisionCount ?? 0;
  for (;;) {
    const hash = podTemplateHash(template, collisionCount);
    if (!sets.some((set) => hashOf(set) === hash && isOtherTemplate(set, rollout))) return { hash, collisionCount };
    collisionCount++;
  }
}

function isOtherTemplate(set: ReplicaSet, rollout: Rollout): boolean {
  const digest = set.metadata.annotations?.[templateDigestAnnotation];
  return digest !== undefined && digest !== templateDigest(rollout.spec.template);
}

export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  return left < right ? -1 : left > right ? 1 : a.metadata.name < b.metadata.name ? -1 : 1;
}

const annotationsNotCopied = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deployment.kubernetes.io/revision",
  "deployment.kubernetes.io/desired-replicas",
  "deployment.kubernetes.io/max-replicas",
  revisionAnnotation,
  desiredReplicasAnnotation,
]);

/** The annotations a ReplicaSet takes from its Rollout, with its own revision number. */
export function replicaSetAnnotations(rollout: Rollout, revision: number): Record<string, string> {
  const copied = Object.entries(rollout.metadata.annotations ?? {}).filter(([key]) => !annotationsNotCopied.has(key));
  return { ...Object.fromEntries(copied), [revisionAnnotation]: String(revision) };
}

/** The desired revision's ReplicaSet, with no pods yet. */
export function newReplicaSet(rollout: Rollout, hash: string, revision: number): ReplicaSet {
  const { metadata, spec } = rollout;
  const template = structuredClone(spec.template);
  const labels = { ...template.metadata?.labels, [podTemplateHashLabel]: hash };
  const selector = structuredClone(spec.selector);
  return {
    apiVersion: apiVersionOf(replicaSets),
    kind: replicaSets.kind,
    metadata: {
      name: `${metadata.name}-${hash}`,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels,
      annotations: {
        ...replicaSetAnnotations(rollout, revision),
        [desiredReplicasAnnotation]: String(spec.replicas ?? 1),
        [templateDigestAnnotation]: templateDigest(spec.template),
      },
      ownerReferences: [ownerReference(rollout)],
    },
    spec: {
      replicas: 0,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [podTemplateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

export function ownerReference(rollout: Rollout): NonNullable<ReplicaSet["metadata"]["ownerReferences"]>[number] {
  return {
    apiVersion: apiVersionOf(rollouts),
    kind: rollouts.kind,
    name: rollout.metadata.name,
    uid: rollout.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function isControlledBy(rollout: Rollout, object: Parameters<typeof controllerOf>[0]): boolean {
  return controllerOf(object)?.uid === rollout.metadata.uid;
}

/**
 * Whether going to `desired` is going back within `rollbackWindow`: it is older than the stable revision and fewer than
 * N others were made between them. Then steps and analyses are skipped.
 */
export function isWithinRollbackWindow(rollout: Rollout, revisions: Revisions, sets: readonly ReplicaSet[]): boolean {
  const { desired, stable } = revisions;
  const window = rollout.spec.rollbackWindow?.revisions ?? 0;
  if (window === 0 || desired === undefined || stable === undefined || desired === stable) return false;
  if (byAge(desired, stable) >= 0 || sameAge(desired, stable)) return false;
  const between = sets.filter((set) => byAge(desired, set) < 0 && byAge(set, stable) < 0 && !sameAge(set, desired));
  return between.filter((set) => !sameAge(set, stable)).length < window;
}

function sameAge(a: ReplicaSet, b: ReplicaSet): boolean {
  return a.metadata.creationTimestamp === b.metadata.creationTimestamp;
}
