/** What garbage collection does about one object. Pure. */
import type { AnyObject } from "#api";
import type { PropagationPolicy } from "../../client/cluster.ts";
import type { ObjectKey } from "../../store/object-key.ts";
import { foregroundFinalizer, orphanFinalizer } from "./deletion.ts";

export type CollectorAction =
  | {
      readonly kind: "delete";
      readonly key: ObjectKey;
      readonly uid: string;
      readonly propagationPolicy: PropagationPolicy;
    }
  | { readonly kind: "disown"; readonly key: ObjectKey; readonly ownerUids: readonly string[] }
  | { readonly kind: "release"; readonly key: ObjectKey; readonly finalizer: string };

export interface Dependent {
  readonly key: ObjectKey;
  readonly object: AnyObject;
}

/**
 * As something owned: it goes when none of its owners is left that is not itself waiting for it; when only some are
 * gone, they are struck from its references.
 */
export function planDependent(
  key: ObjectKey,
  object: AnyObject,
  ownerOf: (uid: string) => AnyObject | undefined,
): CollectorAction[] {
  const references = object.metadata.ownerReferences ?? [];
  const { uid, deletionTimestamp } = object.metadata;
  if (references.length === 0 || uid === undefined) return [];
  const gone = references.filter((reference) => ownerOf(reference.uid) === undefined).map((reference) => reference.uid);
  const waiting = references.filter((reference) => isWaiting(ownerOf(reference.uid))).map((reference) => reference.uid);
  const solid = references.length - gone.length - waiting.length;
  if (solid > 0) {
    const ownerUids = [...gone, ...waiting];
    return ownerUids.length === 0 ? [] : [{ kind: "disown", key, ownerUids }];
  }
  if (deletionTimestamp !== undefined) return [];
  // Below an owner that waits, what this one owns must be gone before it is, too.
  const propagationPolicy = waiting.length > 0 ? "Foreground" : "Background";
  return [{ kind: "delete", key, uid, propagationPolicy }];
}

/** As an owner that is being deleted: orphan its dependents, or wait until those that block it are gone. */
export function planOwner(key: ObjectKey, object: AnyObject, dependents: readonly Dependent[]): CollectorAction[] {
  const { uid, deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || uid === undefined) return [];
  if (finalizers.includes(orphanFinalizer)) {
    return [
      ...dependents.map((dependent): CollectorAction => ({ kind: "disown", key: dependent.key, ownerUids: [uid] })),
      { kind: "release", key, finalizer: orphanFinalizer },
    ];
  }
  if (!finalizers.includes(foregroundFinalizer)) return [];
  const blocking = dependents.some(({ object: dependent }) =>
    (dependent.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  );
  const deletions = dependents.flatMap(({ key: place, object: dependent }): CollectorAction[] => {
    const solid = (dependent.metadata.ownerReferences ?? []).some((owner) => owner.uid !== uid);
    if (solid || dependent.metadata.deletionTimestamp !== undefined || dependent.metadata.uid === undefined) return [];
    return [{ kind: "delete", key: place, uid: dependent.metadata.uid, propagationPolicy: "Foreground" }];
  });
  return blocking ? deletions : [...deletions, { kind: "release", key, finalizer: foregroundFinalizer }];
}

function isWaiting(owner: AnyObject | undefined): boolean {
  if (owner?.metadata.deletionTimestamp === undefined) return false;
  return owner.metadata.finalizers?.includes(foregroundFinalizer) ?? false;
}
