/**
 * Who owns a claim, which decides when it goes: pure, upstream's `persistentVolumeClaimRetentionPolicy`. Owned by the set
 * it goes with the set; owned by a pod that was scaled away it goes with that pod; owned by neither it stays.
 */
import {
  type KubeObject,
  type OwnerReference,
  type PersistentVolumeClaim,
  type Pod,
  pods,
  type ResourceType,
  type StatefulSet,
  statefulSets,
} from "#api";
import { deepEqual } from "#lib";
import { ownerReference } from "../pods/owner-reference.ts";

/** The owners the claim should have; undefined when it has them, or is not ours to change. */
export function wantedOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  scaledAway: boolean,
): readonly OwnerReference[] | undefined {
  const present = claim.metadata.ownerReferences ?? [];
  if (isStale(present, statefulSets, set) || isStale(present, pods, pod)) return undefined;
  const others = present.filter((owner) => !names(owner, statefulSets, set) && !names(owner, pods, pod));
  const wanted = others.some(({ controller }) => controller === true)
    ? others
    : [...others, ...ownOwners(set, pod, scaledAway)];
  return deepEqual(wanted, present) ? undefined : wanted;
}

function ownOwners(set: StatefulSet, pod: Pod, scaledAway: boolean): OwnerReference[] {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  if (whenScaled === "Delete" && scaledAway) return [ownerReference(pods, pod)];
  return whenDeleted === "Delete" ? [ownerReference(statefulSets, set)] : [];
}

/** Names the object but means an earlier one: left from before, and the garbage collector's. */
function isStale(owners: readonly OwnerReference[], type: ResourceType<KubeObject>, object: KubeObject): boolean {
  return owners.some((owner) => names(owner, type, object) && owner.uid !== object.metadata.uid);
}

function names({ kind, name }: OwnerReference, type: ResourceType<KubeObject>, object: KubeObject): boolean {
  return kind === type.kind && name === object.metadata.name;
}

/** A claim that still belongs to a pod that was scaled away: it goes, and a new pod must not come before it is gone. */
export function isOfFormerPod(claim: PersistentVolumeClaim, podName: string): boolean {
  return claim.metadata.ownerReferences?.some(({ kind, name }) => kind === "Pod" && name === podName) ?? false;
}
