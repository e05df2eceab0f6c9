/** Keeps each PersistentVolume's phase, and takes away the folders of those whose claim is gone. */
import { type PersistentVolume, persistentVolumeClaims, persistentVolumes, type PersistentVolumeClaim } from "#api";
import { type Controller, createController, recordEvent, type Request, settled, watching } from "#controller";
import { isKubeError } from "#kube";
import { toTimestamp } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { VolumeFolderPort } from "./ports.ts";
import { planVolume, type VolumeAction } from "./plan-volume.ts";
import { isFor } from "./storage-facts.ts";

export function createVolumeController(context: ControllerContext, folders: VolumeFolderPort): Controller {
  const volumes = context.informers.for(persistentVolumes);
  const claims = context.informers.for(persistentVolumeClaims);
  const volumesOfClaim = (claim: PersistentVolumeClaim): readonly Request[] =>
    volumes
      .list()
      .filter((volume) => volume.metadata.name === claim.spec.volumeName || isFor(volume, claim))
      .map(({ metadata }) => ({ namespace: "", name: metadata.name }));
  return createController({
    ...context,
    name: "persistentvolume-controller",
    primary: persistentVolumes,
    watches: [watching(persistentVolumeClaims, volumesOfClaim)],
    async reconcile({ name }, signal) {
      const volume = volumes.get("", name);
      if (volume === undefined) return settled;
      const { namespace = "", name: claimName = "" } = volume.spec.claimRef ?? {};
      const actions = planVolume({ volume, claim: claims.get(namespace, claimName) });
      for (const action of actions) await act(context, folders, volume, action, signal);
      return settled;
    },
  });
}

async function act(
  context: ControllerContext,
  folders: VolumeFolderPort,
  volume: PersistentVolume,
  action: VolumeAction,
  signal: AbortSignal,
): Promise<void> {
  const { cluster } = context;
  const { name, uid } = volume.metadata;
  switch (action.kind) {
    case "finalizers": {
      const { resourceVersion } = volume.metadata;
      const patch = { metadata: { uid, resourceVersion, finalizers: action.finalizers } };
      await cluster.patch(persistentVolumes, { name }, { type: "merge", patch }, { signal }).catch(unlessGone);
      return;
    }
    case "phase": {
      const status = {
        phase: action.phase,
        message: action.message ?? null,
        lastPhaseTransitionTime: toTimestamp(context.clock.now()),
      };
      const patch = { type: "merge", patch: { metadata: { uid }, status } } as const;
      await cluster.patch(persistentVolumes, { name }, patch, { signal, subresource: "status" }).catch(unlessGone);
      return;
    }
    case "delete":
      // Asked of the store and not of the cache: files are not to be had again.
      if (await isClaimed(context, volume, signal)) return;
      await folders.remove(name, signal);
      await cluster
        .delete(persistentVolumes, { name }, { preconditions: { uid: uid ?? "" }, signal })
        .catch(unlessGone);
      return;
    case "tell": {
      const options = { ...context, component: "persistentvolume-controller" };
      await recordEvent(options, persistentVolumes, volume, action.text, signal);
    }
  }
}

async function isClaimed(
  { cluster }: ControllerContext,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = "", name = "" } = volume.spec.claimRef ?? {};
  const claim = await cluster.get(persistentVolumeClaims, { namespace, name }, { signal });
  return claim !== undefined && isFor(volume, claim);
}

function unlessGone(error: unknown): void {
  if (!isKubeError(error, "NotFound")) throw error;
}
