/** What becomes of a volume when claims come and go: pure. */
import type { PersistentVolume, PersistentVolumeClaim } from "#api";
import type { EventText } from "#controller";
import { isFor, localProvisioner, provisionedBy, volumeProtection } from "./storage-facts.ts";

export interface VolumeObserved {
  readonly volume: PersistentVolume;
  /** The claim that the volume names, if there is one of that name. */
  readonly claim: PersistentVolumeClaim | undefined;
}

export type VolumeAction =
  | { readonly kind: "finalizers"; readonly finalizers: readonly string[] }
  | { readonly kind: "phase"; readonly phase: VolumePhase; readonly message?: string }
  /** The folder first, then the volume: what is left after a crash is found again. */
  | { readonly kind: "delete" }
  | { readonly kind: "tell"; readonly text: EventText };

type VolumePhase = NonNullable<NonNullable<PersistentVolume["status"]>["phase"]>;

export function planVolume({ volume, claim }: VolumeObserved): VolumeAction[] {
  const { claimRef, persistentVolumeReclaimPolicy: policy = "Retain" } = volume.spec;
  const owned = claim !== undefined && isFor(volume, claim);
  const ending = volume.metadata.deletionTimestamp !== undefined;
  const finalizers = volume.metadata.finalizers ?? [];
  const guarded = finalizers.includes(volumeProtection);
  if (!ending && !guarded) return [{ kind: "finalizers", finalizers: [...finalizers, volumeProtection] }];
  // A reservation that nobody has taken up yet is not a claim that went away.
  const reserved = claimRef !== undefined && (claimRef.uid === undefined || claimRef.uid === "");
  if (owned) {
    return reserved || volume.spec.claimRef?.uid !== claim.metadata.uid ? [] : phase(volume, "Bound");
  }
  if (ending) {
    if (!guarded) return [];
    return [{ kind: "finalizers", finalizers: finalizers.filter((name) => name !== volumeProtection) }];
  }
  if (claimRef === undefined || reserved) return phase(volume, "Available");
  return [...phase(volume, "Released"), ...reclaim(volume, policy)];
}

function reclaim(volume: PersistentVolume, policy: string): VolumeAction[] {
  if (policy === "Retain") return [];
  if (policy === "Delete" && volume.metadata.annotations?.[provisionedBy] === localProvisioner) {
    return [{ kind: "delete" }];
  }
  const { name } = volume.metadata;
  const failed =
    policy === "Delete"
      ? {
          reason: "VolumeFailedDelete",
          message: `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`,
        }
      : { reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
  if (volume.status?.phase === "Failed") return [];
  return [
    { kind: "phase", phase: "Failed", message: failed.message },
    { kind: "tell", text: { type: "Warning", ...failed } },
  ];
}

function phase(volume: PersistentVolume, wanted: VolumePhase): VolumeAction[] {
  const present = volume.status?.phase;
  // What failed to be reclaimed stays so until somebody acts.
  if (present === wanted || (wanted === "Released" && present === "Failed")) return [];
  return [{ kind: "phase", phase: wanted }];
}
