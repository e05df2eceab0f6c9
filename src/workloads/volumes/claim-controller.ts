/** Gives each PersistentVolumeClaim its volume. */
import {
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type Pod,
  pods,
  storageClasses,
} from "#api";
import { type Controller, createController, recordEvent, type Request, settled, watching } from "#controller";
import { isKubeError } from "#kube";
import type { ControllerContext } from "../controller-context.ts";
import type { VolumeFolderPort } from "./ports.ts";
import { type ClaimAction, planClaim } from "./plan-claim.ts";
import { bindCompleted, boundByController, localProvisioner, storageProvisioner } from "./storage-facts.ts";

export function createClaimController(context: ControllerContext, folders: VolumeFolderPort): Controller {
  const { informers } = context;
  const claims = informers.for(persistentVolumeClaims);
  const volumes = informers.for(persistentVolumes);
  const classes = informers.for(storageClasses);
  const allPods = informers.for(pods);
  const unbound = (): readonly Request[] =>
    claims
      .list()
      .filter(({ spec }) => !spec.volumeName)
      .map(requestOf);
  return createController({
    ...context,
    name: "persistentvolume-binder",
    primary: persistentVolumeClaims,
    watches: [
      watching(persistentVolumes, claimsOfVolume(unbound)),
      watching(storageClasses, unbound),
      watching(pods, claimsOfPod),
    ],
    // One at a time: two claims must not see the same volume free.
    concurrency: 1,
    async reconcile({ namespace, name }, signal) {
      const claim = claims.get(namespace, name);
      if (claim === undefined) return settled;
      const actions = planClaim({
        claim,
        volumes: volumes.list(),
        classes: classes.list(),
        pods: allPods.list(namespace),
        folder: (volume) => folders.pathOf(volume),
      });
      for (const action of actions) await act(context, folders, claim, action, signal);
      return settled;
    },
  });
}

function requestOf({ metadata }: KubeObject): Request {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

/** A volume concerns the claim it names, and one that is free all that have none. */
function claimsOfVolume(unbound: () => readonly Request[]): (volume: PersistentVolume) => readonly Request[] {
  return ({ spec: { claimRef } }) =>
    claimRef === undefined ? unbound() : [{ namespace: claimRef.namespace ?? "", name: claimRef.name ?? "" }];
}

function claimsOfPod(pod: Pod): readonly Request[] {
  const { namespace = "" } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim === undefined ? [] : [{ namespace, name: claim.claimName }],
  );
}

async function act(
  context: ControllerContext,
  folders: VolumeFolderPort,
  claim: PersistentVolumeClaim,
  action: ClaimAction,
  signal: AbortSignal,
): Promise<void> {
  switch (action.kind) {
    case "finalizers":
      return await patchClaim(context, claim, { metadata: { finalizers: action.finalizers } }, signal);
    case "class":
      return await patchClaim(context, claim, { spec: { storageClassName: action.storageClassName } }, signal);
    case "provision":
      return await provision(context, folders, claim, action.volume, signal);
    case "bind":
      return await bind(context, claim, action.volume, signal);
    case "grow":
      return await grow(context, action.volume, action.storage, signal);
    case "status": {
      const { uid, resourceVersion, namespace = "", name } = claim.metadata;
      const patch = { metadata: { uid, resourceVersion }, status: action.status };
      const options = { signal, subresource: "status" } as const;
      await context.cluster.patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch }, options);
      return;
    }
    case "tell":
      await tell(context, claim, action.text.type, action.text.reason, action.text.message, signal);
  }
}

async function patchClaim(
  { cluster }: ControllerContext,
  { metadata }: PersistentVolumeClaim,
  change: { readonly metadata?: object; readonly spec?: object },
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid, resourceVersion } = metadata;
  const patch = { ...change, metadata: { uid, resourceVersion, ...change.metadata } };
  try {
    await cluster.patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch }, { signal });
  } catch (error) {
    if (!isKubeError(error, "NotFound")) throw error;
  }
}

async function provision(
  context: ControllerContext,
  folders: VolumeFolderPort,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name } = claim.metadata;
  await tell(
    context,
    claim,
    "Normal",
    "Provisioning",
    `External provisioner is provisioning volume for claim "${namespace}/${name}"`,
    signal,
  );
  await folders.create(volume.metadata.name, signal);
  try {
    await context.cluster.create(persistentVolumes, volume, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  const message = `Successfully provisioned volume ${volume.metadata.name}`;
  await tell(context, claim, "Normal", "ProvisioningSucceeded", message, signal);
}

/** The volume first: while it names the claim nobody else takes it. */
async function bind(
  context: ControllerContext,
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid = "" } = claim.metadata;
  if (volume.spec.claimRef?.uid !== uid) {
    const { uid: volumeUid, resourceVersion } = volume.metadata;
    const ours = volume.spec.claimRef === undefined ? { annotations: { [boundByController]: "yes" } } : {};
    const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid };
    const patch = { metadata: { uid: volumeUid, resourceVersion, ...ours }, spec: { claimRef } };
    await context.cluster.patch(
      persistentVolumes,
      { name: volume.metadata.name },
      { type: "merge", patch },
      { signal },
    );
  }
  const chosen = (claim.spec.volumeName ?? "") === "" ? { [boundByController]: "yes" } : {};
  const annotations = { [bindCompleted]: "yes", [storageProvisioner]: localProvisioner, ...chosen };
  await patchClaim(context, claim, { metadata: { annotations }, spec: { volumeName: volume.metadata.name } }, signal);
}

async function grow(
  { cluster }: ControllerContext,
  volume: PersistentVolume,
  storage: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = volume.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { capacity: { storage } } };
  await cluster.patch(persistentVolumes, { name }, { type: "merge", patch }, { signal });
}

async function tell(
  context: ControllerContext,
  claim: PersistentVolumeClaim,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...context, component: "persistentvolume-controller" };
  await recordEvent(options, persistentVolumeClaims, claim, { type, reason, message }, signal);
}
