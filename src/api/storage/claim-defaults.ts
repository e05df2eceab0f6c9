import { isObject } from "#lib";
import type { PersistentVolumeClaim } from "./volumes.ts";

/** Of a claim by itself and of the claim templates of StatefulSets alike. */
export function setClaimSpecDefaults(claim: PersistentVolumeClaim): void {
  claim.status ??= {};
  claim.status.phase ??= "Pending";
  if (claim.spec === undefined) return;
  claim.spec.volumeMode ??= "Filesystem";
}

/** The older and the newer way to name what a claim is filled from say the same. */
export function completeClaimSource(claim: PersistentVolumeClaim): void {
  const { dataSource, dataSourceRef } = claim.spec;
  if (dataSource !== undefined && dataSourceRef === undefined) claim.spec.dataSourceRef = structuredClone(dataSource);
  else if (dataSource === undefined && isObject(dataSourceRef) && dataSourceRef["namespace"] === undefined) {
    claim.spec.dataSource = structuredClone(dataSourceRef);
  }
}
