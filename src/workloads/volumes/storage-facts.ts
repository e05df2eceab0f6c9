/** Names and small facts of storage that controllers share: pure. */
import { milliOf, type PersistentVolume, type PersistentVolumeClaim, type StorageClass } from "#api";

/** The provisioner of this machine: each volume is a folder of the data folder. */
export const localProvisioner = "tidegate.dev/local-path";
export const provisionedBy = "pv.kubernetes.io/provisioned-by";
export const boundByController = "pv.kubernetes.io/bound-by-controller";
export const bindCompleted = "pv.kubernetes.io/bind-completed";
export const storageProvisioner = "volume.kubernetes.io/storage-provisioner";
export const claimProtection = "kubernetes.io/pvc-protection";
export const volumeProtection = "kubernetes.io/pv-protection";
const defaultClass = "storageclass.kubernetes.io/is-default-class";

/** Classes a fresh cluster has, by the names of kind and of k3s. */
export const firstClasses: readonly StorageClass[] = [classOf("standard", true), classOf("local-path", false)];

function classOf(name: string, isDefault: boolean): StorageClass {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name, ...(isDefault ? { annotations: { [defaultClass]: "true" } } : {}) },
    provisioner: localProvisioner,
    reclaimPolicy: "Delete",
    // A claim is bound at once, as there is one node that could have it.
    volumeBindingMode: "Immediate",
    allowVolumeExpansion: true,
  };
}

/** Of several the newest, as upstream. */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes
    .filter(({ metadata }) => metadata.annotations?.[defaultClass] === "true")
    .toSorted(
      (a, b) =>
        -compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
        compare(a.metadata.name, b.metadata.name),
    )[0];
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Thousandths of a byte; 0 where nothing is said. */
export function storageOf(quantities: Readonly<Record<string, string>> | undefined): number {
  return milliOf(quantities?.["storage"] ?? "0") ?? 0;
}

/** Whether the volume is this very claim's; a reference without a uid is a reservation by name. */
export function isFor(volume: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  if (reference === undefined) return false;
  const named = reference.namespace === metadata.namespace && reference.name === metadata.name;
  return named && (reference.uid === undefined || reference.uid === "" || reference.uid === metadata.uid);
}

/** The folder of the machine where a volume's files lie; undefined for sources that are not of this machine. */
export function folderOf({ spec }: PersistentVolume): string | undefined {
  return spec.hostPath?.path ?? spec.local?.path;
}
