/** Deletes what an Application manages before the Application goes, when its finalizer asks for it. */
import { cascadeFinalizer, type Application } from "#api";
import { settled, type Outcome } from "#controller";
import type { Cluster, PropagationPolicy } from "#kube";
import type { ApplicationStore } from "./application-store.ts";
import { inventoryTypes } from "./live/inventory.ts";
import type { LiveObjects } from "./live/live-objects.ts";
import { deleteObject } from "./sync/apply.ts";
import { kindRank } from "./sync/kind-order.ts";
import { hasOption, syncOptionsOf } from "./sync/sync-options.ts";
import { waveOf } from "./sync/hooks.ts";
import { instanceName } from "./tracking.ts";

export interface DeletionParts {
  readonly cluster: Cluster;
  readonly store: ApplicationStore;
  readonly live: LiveObjects;
}

export async function deleteApplication(
  parts: DeletionParts,
  application: Application,
  signal: AbortSignal,
): Promise<Outcome> {
  const { cluster, live, store } = parts;
  const finalizer = application.metadata.finalizers?.find(isCascade);
  if (finalizer === undefined) return settled;
  await live.watch(inventoryTypes(application, cluster));
  const policy: PropagationPolicy = finalizer.endsWith("/background") ? "Background" : "Foreground";
  const options = syncOptionsOf(application);
  const doomed = live
    .managedBy(instanceName(application))
    .filter((object) => !hasOption(options, object, "Delete", "false"))
    .toSorted((a, b) => waveOf(b) - waveOf(a) || kindRank(b.kind) - kindRank(a.kind));
  let left = 0;
  for (const object of doomed) {
    const type = cluster.resolveType(object.apiVersion, object.kind);
    if (type === undefined || object.metadata.deletionTimestamp !== undefined) left += type === undefined ? 0 : 1;
    else if (await deleteObject(cluster, type, object, policy, signal)) live.noteDeleted(object);
    else left += 1;
  }
  // The last object's own deletion event brings us back; the pause only covers an event that was missed.
  if (left > 0) return { kind: "wait", ms: 10_000, reason: `${left} objects are still being deleted` };
  await store.removeFinalizers(application, isCascade, signal);
  return settled;
}

function isCascade(finalizer: string): boolean {
  return finalizer === cascadeFinalizer || finalizer.startsWith(`${cascadeFinalizer}/`);
}
