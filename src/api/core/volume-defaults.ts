/** Upstream's defaults of the volumes of a pod. */
import { isObject } from "#lib";
import { setClaimSpecDefaults } from "../storage/claim-defaults.ts";
import type { PersistentVolumeClaim } from "../storage/volumes.ts";
import type { DownwardFile, Volume } from "./pod.ts";

export function setVolumeDefaults(volume: Volume): void {
  const sources = Object.keys(volume).filter((field) => field !== "name");
  if (sources.length === 0) volume.emptyDir = {};
  for (const source of ["configMap", "secret", "projected", "downwardAPI"] as const) {
    fill(volume[source], { defaultMode: 0o644 });
  }
  for (const [source, defaults] of Object.entries(sourceDefaults)) fill(volume[source], defaults);
  setFileDefaults(volume.downwardAPI?.items);
  for (const projection of volume.projected?.sources ?? []) {
    setFileDefaults(projection.downwardAPI?.items);
    fill(projection.serviceAccountToken, { expirationSeconds: 3600 });
  }
  const claim = isObject(volume["ephemeral"]) ? volume["ephemeral"]["volumeClaimTemplate"] : undefined;
  if (isObject(claim)) setClaimSpecDefaults(claim as unknown as PersistentVolumeClaim);
}

/** Storage of other machines, which nothing here mounts; a manifest must still read the same everywhere. */
const sourceDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  hostPath: { type: "" },
  iscsi: { iscsiInterface: "default" },
  rbd: { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" },
  azureDisk: { cachingMode: "ReadWrite", kind: "Shared", fsType: "ext4", readOnly: false },
  scaleIO: { storageMode: "ThinProvisioned", fsType: "xfs" },
};

function setFileDefaults(items: readonly DownwardFile[] | undefined): void {
  for (const { fieldRef } of items ?? []) fill(fieldRef, { apiVersion: "v1" });
}

function fill(target: unknown, defaults: Readonly<Record<string, unknown>>): void {
  if (!isObject(target)) return;
  for (const [field, value] of Object.entries(defaults)) target[field] ??= value;
}
