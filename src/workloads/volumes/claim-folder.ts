/** Where the files of a claim lie: pure. For whoever mounts it. */
import type { PersistentVolume, PersistentVolumeClaim } from "#api";
import { folderOf, isFor } from "./storage-facts.ts";

export type ClaimFolder =
  | { readonly kind: "bound"; readonly path: string }
  | { readonly kind: "missing"; readonly message: string };

export interface ClaimLookup {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
}

export function claimFolder(lookup: ClaimLookup, namespace: string, name: string): ClaimFolder {
  const claim = lookup.claim(namespace, name);
  if (claim === undefined) return missing(`persistentvolumeclaim "${name}" not found`);
  if (claim.metadata.deletionTimestamp !== undefined)
    return missing(`persistentvolumeclaim "${name}" is being deleted`);
  const volume = lookup.volume(claim.spec.volumeName ?? "");
  if (claim.status?.phase !== "Bound" || volume === undefined || !isFor(volume, claim)) {
    return missing(
      `pod has unbound immediate PersistentVolumeClaims: "${name}" is ${claim.status?.phase ?? "Pending"}`,
    );
  }
  const path = folderOf(volume);
  if (path !== undefined) return { kind: "bound", path };
  const source = Object.keys(volume.spec).find((field) => !settings.has(field)) ?? "none";
  return missing(
    `volume "${volume.metadata.name}" of claim "${name}" has source "${source}": here only "hostPath" and "local" can be mounted`,
  );
}

const settings: ReadonlySet<string> = new Set([
  "capacity",
  "accessModes",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeMode",
  "claimRef",
  "nodeAffinity",
  "mountOptions",
]);

function missing(message: string): ClaimFolder {
  return { kind: "missing", message };
}
