/** What a StatefulSet needs done: pure, upstream's order. `OrderedReady` does one thing at a time, `Parallel` all at once. */
import { isPodReady, type OwnerReference, type PersistentVolumeClaim, type Pod, type StatefulSet } from "#api";
import { scaledShare } from "../deployment/bounds.ts";
import { isAvailable, isEnded, nextAvailableMs } from "../pod-state.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";
import { isOfFormerPod, wantedOwners } from "./claim-owners.ts";
import { claimsOf, identityLabels, ordinalOf, podOf, type PodRevision } from "./identity.ts";
import { statefulSetStatus, type StatefulSetStatus } from "./stateful-set-status.ts";

export interface StatefulSetObserved {
  readonly set: StatefulSet;
  /** Its own. */
  readonly pods: readonly Pod[];
  /** Of the namespace. */
  readonly claims: readonly PersistentVolumeClaim[];
  /** What pods below the partition are made of. */
  readonly current: PodRevision;
  readonly update: PodRevision;
  readonly collisionCount: number | undefined;
  readonly nowMs: number;
}

export type StatefulSetAction =
  /** Its missing claims first. */
  | { readonly kind: "create"; readonly pod: Pod; readonly claims: readonly PersistentVolumeClaim[] }
  | { readonly kind: "claims"; readonly pod: Pod; readonly claims: readonly PersistentVolumeClaim[] }
  | { readonly kind: "delete"; readonly pod: Pod }
  | { readonly kind: "label"; readonly pod: Pod; readonly labels: Readonly<Record<string, string>> }
  | { readonly kind: "owners"; readonly claim: PersistentVolumeClaim; readonly owners: readonly OwnerReference[] };

export interface StatefulSetPlan {
  readonly actions: readonly StatefulSetAction[];
  readonly status: StatefulSetStatus;
  readonly wakeAtMs: number | undefined;
}

export function planStatefulSet(observed: StatefulSetObserved): StatefulSetPlan {
  const { set, pods, nowMs } = observed;
  const ending = set.metadata.deletionTimestamp !== undefined;
  return {
    actions: ending ? [] : [...stepsOf(observed)],
    status: statefulSetStatus(observed),
    wakeAtMs: nextAvailableMs(pods, set.spec.minReadySeconds ?? 0, nowMs),
  };
}

interface Replica {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}

function* stepsOf(observed: StatefulSetObserved): Generator<StatefulSetAction> {
  const { set } = observed;
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const { replicas, condemned } = divide(observed);
  for (const replica of replicas) {
    if ((yield* replicaSteps(observed, replica, ordered)) && ordered) return;
  }
  for (const pod of condemned) yield* ownerSteps(observed, pod, true);
  const present = replicas.map(({ pod }) => pod).filter((pod) => pod !== undefined);
  const firstUnhealthy = [...present, ...condemned.toReversed()].find((pod) => !isHealthy(pod));
  for (const pod of condemned) {
    const gone = pod.metadata.deletionTimestamp !== undefined;
    const settledEnough = isSettled(observed, pod) || pod === firstUnhealthy;
    if (!gone && (settledEnough || !ordered)) yield { kind: "delete", pod };
    if (ordered) return;
  }
  if (set.spec.updateStrategy?.type !== "OnDelete") yield* updateSteps(observed, replicas);
}

/** Pods of the wanted ordinals in their order, and the others, last first. */
function divide({ set, pods }: StatefulSetObserved): { replicas: Replica[]; condemned: Pod[] } {
  const start = set.spec.ordinals?.start ?? 0;
  const count = set.spec.replicas ?? 1;
  const byOrdinal = new Map<number, Pod>();
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod);
  }
  const replicas = Array.from({ length: count }, (_, index) => ({
    ordinal: start + index,
    pod: byOrdinal.get(start + index),
  }));
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal < start || ordinal >= start + count)
    .toSorted(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  return { replicas, condemned };
}

/** Returns true where those after it have to wait. */
function* replicaSteps(
  observed: StatefulSetObserved,
  { ordinal, pod }: Replica,
  ordered: boolean,
): Generator<StatefulSetAction, boolean> {
  if (pod === undefined) return yield* creation(observed, ordinal);
  const going = pod.metadata.deletionTimestamp !== undefined;
  if (isEnded(pod)) {
    // Made anew when it is gone, whatever its exit code was.
    if (!going) yield { kind: "delete", pod };
    return true;
  }
  if ((pod.status?.phase ?? "Pending") === "Pending" && !going) {
    const claims = missingClaims(observed, ordinal);
    if (claims.length > 0) yield { kind: "claims", pod, claims };
    yield* ownerSteps(observed, pod, false);
  }
  if (ordered && (going || !isSettled(observed, pod))) return true;
  if (going) return false;
  const labels = identityLabels(pod.metadata.name, ordinal);
  const labelled = Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);
  if (!labelled) yield { kind: "label", pod, labels };
  yield* ownerSteps(observed, pod, false);
  return false;
}

function* creation(observed: StatefulSetObserved, ordinal: number): Generator<StatefulSetAction, boolean> {
  const { set, current, update, claims } = observed;
  const start = set.spec.ordinals?.start ?? 0;
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const pod = podOf(set, ordinal < start + partition ? current : update, ordinal);
  const names = new Set(claimsOf(set, ordinal).map(({ metadata }) => metadata.name));
  const own = claims.filter(({ metadata }) => names.has(metadata.name));
  const stale =
    set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === "Delete" &&
    own.some((claim) => isOfFormerPod(claim, pod.metadata.name));
  // A claim on its way out would take the new pod's files with it.
  if (stale || own.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return true;
  yield { kind: "create", pod, claims: missingClaims(observed, ordinal) };
  return true;
}

function missingClaims({ set, claims }: StatefulSetObserved, ordinal: number): PersistentVolumeClaim[] {
  const present = new Set(claims.map(({ metadata }) => metadata.name));
  return claimsOf(set, ordinal).filter(({ metadata }) => !present.has(metadata.name));
}

function* ownerSteps(
  { set, claims }: StatefulSetObserved,
  pod: Pod,
  scaledAway: boolean,
): Generator<StatefulSetAction, void> {
  const names = new Set(claimsOf(set, ordinalOf(set, pod) ?? -1).map(({ metadata }) => metadata.name));
  for (const claim of claims) {
    if (!names.has(claim.metadata.name)) continue;
    const owners = wantedOwners(claim, set, pod, scaledAway);
    if (owners !== undefined) yield { kind: "owners", claim, owners };
  }
}

/** The pods that are ended so that they come again as the new revision: from the last down to the partition. */
function* updateSteps(
  { set, update }: StatefulSetObserved,
  replicas: readonly Replica[],
): Generator<StatefulSetAction, void> {
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const targets = replicas.slice(partition).toReversed();
  const isOld = (pod: Pod): boolean => pod.metadata.labels?.[revisionHashLabel] !== update.name;
  if (maxUnavailable === undefined) {
    for (const { pod } of targets) {
      if (pod === undefined) return;
      const going = pod.metadata.deletionTimestamp !== undefined;
      if (isOld(pod) && !going) return yield { kind: "delete", pod };
      if (!isHealthy(pod)) return;
    }
    return;
  }
  const allowed = Math.max(1, scaledShare(maxUnavailable, replicas.length, Math.floor));
  let room = allowed - replicas.filter(({ pod }) => pod === undefined || !isHealthy(pod)).length;
  for (const { pod } of targets) {
    if (room <= 0) return;
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || !isOld(pod)) continue;
    yield { kind: "delete", pod };
    room -= 1;
  }
}

function isHealthy(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Running, and ready for long enough. */
function isSettled({ set, nowMs }: StatefulSetObserved, pod: Pod): boolean {
  return pod.status?.phase === "Running" && isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}
