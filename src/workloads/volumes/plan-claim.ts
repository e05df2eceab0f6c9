/** What a claim needs done to have its volume: pure, upstream's rules of binding. */
import { matchesSelector, type PersistentVolume, type PersistentVolumeClaim, type Pod, type StorageClass } from "#api";
import type { EventText } from "#controller";
import { isEnded } from "../pod-state.ts";
import {
  bindCompleted,
  claimProtection,
  defaultClassOf,
  isFor,
  localProvisioner,
  provisionedBy,
  storageOf,
} from "./storage-facts.ts";

export interface ClaimObserved {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  readonly classes: readonly StorageClass[];
  /** Of the namespace. */
  readonly pods: readonly Pod[];
  /** Where the folder of a volume of this name will be. */
  readonly folder: (volume: string) => string;
}

export type ClaimAction =
  | { readonly kind: "finalizers"; readonly finalizers: readonly string[] }
  | { readonly kind: "class"; readonly storageClassName: string }
  /** Makes the folder and then the volume, which names the claim. */
  | { readonly kind: "provision"; readonly volume: PersistentVolume }
  /** The volume is told first whose it is, then the claim. */
  | { readonly kind: "bind"; readonly volume: PersistentVolume }
  | { readonly kind: "grow"; readonly volume: PersistentVolume; readonly storage: string }
  | { readonly kind: "status"; readonly status: NonNullable<PersistentVolumeClaim["status"]> }
  | { readonly kind: "tell"; readonly text: EventText };

export function planClaim(observed: ClaimObserved): ClaimAction[] {
  const { claim } = observed;
  if (claim.metadata.deletionTimestamp !== undefined) return unprotect(observed);
  const finalizers = claim.metadata.finalizers ?? [];
  if (!finalizers.includes(claimProtection)) {
    return [{ kind: "finalizers", finalizers: [...finalizers, claimProtection] }];
  }
  const name = claim.spec.volumeName ?? "";
  return name === "" ? planUnbound(observed) : planNamed(observed, name);
}

/** A claim that pods still use stays until they are gone. */
function unprotect({ claim, pods }: ClaimObserved): ClaimAction[] {
  const finalizers = claim.metadata.finalizers ?? [];
  if (!finalizers.includes(claimProtection) || pods.some((pod) => !isEnded(pod) && uses(pod, claim))) return [];
  return [{ kind: "finalizers", finalizers: finalizers.filter((name) => name !== claimProtection) }];
}

function uses(pod: Pod, { metadata }: PersistentVolumeClaim): boolean {
  return (pod.spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name);
}

/** The claim says which volume: by our own binding, or because its author chose one. */
function planNamed({ claim, volumes, classes }: ClaimObserved, name: string): ClaimAction[] {
  const volume = volumes.find(({ metadata }) => metadata.name === name);
  const wasBound = claim.metadata.annotations?.[bindCompleted] !== undefined;
  const belongs = volume !== undefined && isFor(volume, claim);
  if (volume === undefined || (volume.spec.claimRef !== undefined && !belongs)) {
    if (!wasBound) return pending(claim);
    const message =
      volume === undefined
        ? "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        : "Two claims are bound to the same volume, this one is bound incorrectly";
    const reason = volume === undefined ? "ClaimLost" : "ClaimMisbound";
    if (claim.status?.phase === "Lost") return [];
    return [
      { kind: "status", status: { phase: "Lost" } },
      { kind: "tell", text: { type: "Warning", reason, message } },
    ];
  }
  const complete = wasBound && volume.spec.claimRef?.uid === claim.metadata.uid;
  if (!complete) return [{ kind: "bind", volume }];
  return [...growth(claim, volume, classes), ...bound(claim, volume)];
}

/** Folders have no size of their own: a class that allows it grows by saying so. */
function growth(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  classes: readonly StorageClass[],
): ClaimAction[] {
  const wanted = claim.spec.resources?.requests;
  const own = volume.metadata.annotations?.[provisionedBy] === localProvisioner;
  const allowed = classes.find(({ metadata }) => metadata.name === volume.spec.storageClassName)?.allowVolumeExpansion;
  if (!own || allowed !== true || storageOf(wanted) <= storageOf(volume.spec.capacity)) return [];
  return [{ kind: "grow", volume, storage: wanted?.["storage"] ?? "0" }];
}

function bound(claim: PersistentVolumeClaim, { spec }: PersistentVolume): ClaimAction[] {
  const { phase, accessModes, capacity } = claim.status ?? {};
  const same =
    phase === "Bound" &&
    accessModes?.join() === spec.accessModes?.join() &&
    storageOf(capacity) === storageOf(spec.capacity);
  if (same) return [];
  const status: NonNullable<PersistentVolumeClaim["status"]> = {
    phase: "Bound",
    ...(spec.accessModes === undefined ? {} : { accessModes: spec.accessModes }),
    ...(spec.capacity === undefined ? {} : { capacity: spec.capacity }),
  };
  return [{ kind: "status", status }];
}

function pending(claim: PersistentVolumeClaim): ClaimAction[] {
  return claim.status?.phase === "Pending" ? [] : [{ kind: "status", status: { phase: "Pending" } }];
}

function planUnbound(observed: ClaimObserved): ClaimAction[] {
  const { claim, volumes, classes } = observed;
  const fallback = claim.spec.storageClassName === undefined ? defaultClassOf(classes) : undefined;
  if (fallback !== undefined) return [{ kind: "class", storageClassName: fallback.metadata.name }];
  const className = claim.spec.storageClassName ?? "";
  const reserved = volumes.find((volume) => isFor(volume, claim));
  if (reserved !== undefined) return [{ kind: "bind", volume: reserved }];
  const storage = classes.find(({ metadata }) => metadata.name === className);
  if (storage?.volumeBindingMode === "WaitForFirstConsumer" && !observed.pods.some((pod) => uses(pod, claim))) {
    const message = "waiting for first consumer to be created before binding";
    return [...pending(claim), normal("WaitForFirstConsumer", message)];
  }
  const fitting = smallestFitting(claim, className, volumes);
  if (fitting !== undefined) return [{ kind: "bind", volume: fitting }];
  return [...pending(claim), ...withoutVolume(observed, className, storage)];
}

function withoutVolume(observed: ClaimObserved, className: string, storage: StorageClass | undefined): ClaimAction[] {
  if (className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return [normal("FailedBinding", message)];
  }
  if (storage === undefined) {
    const message = `storageclass.storage.k8s.io "${className}" not found`;
    return [{ kind: "tell", text: { type: "Warning", reason: "ProvisioningFailed", message } }];
  }
  if (storage.provisioner === localProvisioner) {
    if (observed.claim.spec.volumeMode === "Block") {
      const message = `failed to provision volume with StorageClass "${className}": volumes of this machine are folders: volumeMode must be "Filesystem"`;
      return [{ kind: "tell", text: { type: "Warning", reason: "ProvisioningFailed", message } }];
    }
    return [{ kind: "provision", volume: provisioned(observed, storage) }];
  }
  if (storage.provisioner === "kubernetes.io/no-provisioner") {
    return [normal("FailedBinding", "no persistent volumes available for this claim")];
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${storage.provisioner}' or manually by ` +
    "the system administrator. If volume creation is delayed, please verify that the provisioner is running and " +
    "correctly registered.";
  return [normal("ExternalProvisioning", message)];
}

function normal(reason: string, message: string): ClaimAction {
  return { kind: "tell", text: { type: "Normal", reason, message } };
}

/** The least that is enough, so that large volumes are left for large claims. */
function smallestFitting(
  { spec }: PersistentVolumeClaim,
  className: string,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const wanted = storageOf(spec.resources?.requests);
  return volumes
    .filter((volume) => {
      const { claimRef, storageClassName = "", accessModes = [], volumeMode = "Filesystem", capacity } = volume.spec;
      return (
        claimRef === undefined &&
        volume.metadata.deletionTimestamp === undefined &&
        storageClassName === className &&
        volumeMode === (spec.volumeMode ?? "Filesystem") &&
        (spec.accessModes ?? []).every((mode) => accessModes.includes(mode)) &&
        storageOf(capacity) >= wanted &&
        (spec.selector === undefined || matchesSelector(spec.selector, volume.metadata.labels))
      );
    })
    .toSorted((a, b) => storageOf(a.spec.capacity) - storageOf(b.spec.capacity))[0];
}

/** Named after the claim's uid, so that making it twice makes it once. */
function provisioned({ claim, folder }: ClaimObserved, storage: StorageClass): PersistentVolume {
  const { name, namespace = "", uid = "" } = claim.metadata;
  const volume = `pvc-${uid}`;
  const requested = claim.spec.resources?.requests?.["storage"] ?? "0";
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volume, annotations: { [provisionedBy]: localProvisioner } },
    spec: {
      capacity: { storage: requested },
      accessModes: claim.spec.accessModes ?? ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: storage.reclaimPolicy ?? "Delete",
      storageClassName: storage.metadata.name,
      volumeMode: "Filesystem",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      hostPath: { path: folder(volume), type: "DirectoryOrCreate" },
    },
  };
}
