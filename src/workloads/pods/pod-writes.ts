/** The writes of controllers that hold pods: each remembered until the cache shows it, and told as an event of the holder. */
import { type KubeObject, type Pod, type PodTemplateSpec, pods, type ResourceType } from "#api";
import { type EventText, recordEvent } from "#controller";
import { isKubeError, KubeError } from "#kube";
import { errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { OwnWrites } from "./own-writes.ts";
import { ownerReference } from "./owner-reference.ts";

/** Who holds the pods: a kind and the controller that acts for it. */
export interface PodHolder<T extends KubeObject> {
  readonly context: ControllerContext;
  readonly type: ResourceType<T>;
  /** `replicaset-controller`; events name it. */
  readonly component: string;
  readonly pods: OwnWrites<Pod>;
  /** Upstream's StatefulSet tells its pods in words of its own. */
  readonly words?: (verb: "create" | "delete", pod: Pod, owner: T, error: string | undefined) => string;
}

export interface WriteFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

/** A pod of the template under `name`, owned. */
export function podFromTemplate(
  type: ResourceType<KubeObject>,
  owner: KubeObject,
  template: PodTemplateSpec,
  names: { readonly name: string; readonly generateName?: string },
): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...names,
      namespace: owner.metadata.namespace ?? "",
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [ownerReference(type, owner)],
    },
    spec: structuredClone(template.spec),
  };
}

/** Upstream's generated names: what was given, cut so that the whole has at most 63 characters, and five of chance. */
export function generatedNames({ ids }: ControllerContext, prefix: string): { name: string; generateName: string } {
  return { name: `${prefix.slice(0, 58)}${ids.suffix(5)}`, generateName: prefix };
}

/** In batches of 1, 2, 4 …: when all fail for one reason, that is learnt from one request, not from hundreds. */
export async function createPods<T extends KubeObject>(
  holder: PodHolder<T>,
  owner: T,
  wanted: readonly Pod[],
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  for (let done = 0, batch = 1; done < wanted.length; done += batch, batch *= 2) {
    const results = await Promise.allSettled(
      wanted.slice(done, done + batch).map(async (pod) => await createPod(holder, owner, pod, signal)),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) continue;
    signal.throwIfAborted();
    return await tellFailure(holder, owner, failed.reason, signal);
  }
  return undefined;
}

async function createPod<T extends KubeObject>(
  holder: PodHolder<T>,
  owner: T,
  wanted: Pod,
  signal: AbortSignal,
): Promise<void> {
  try {
    const pod = await holder.context.cluster.create(pods, wanted, { signal });
    holder.pods.written(pod);
    const message = holder.words?.("create", pod, owner, undefined) ?? `Created pod: ${pod.metadata.name}`;
    await tell(holder, owner, { type: "Normal", reason: "SuccessfulCreate", message }, signal);
  } catch (error) {
    throw new PodCreationError(wanted, error);
  }
}

/** Carries which pod it was to where it is told. */
class PodCreationError extends Error {
  readonly pod: Pod;

  constructor(pod: Pod, cause: unknown) {
    super(errorMessage(cause), { cause });
    this.pod = pod;
  }
}

async function tellFailure<T extends KubeObject>(
  holder: PodHolder<T>,
  owner: T,
  failure: unknown,
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  const error = failure instanceof PodCreationError ? failure.cause : failure;
  // A namespace that goes away refuses pods; their owners follow shortly.
  if (isNamespaceEnding(error)) return undefined;
  const text = errorMessage(error);
  const said = failure instanceof PodCreationError ? holder.words?.("create", failure.pod, owner, text) : undefined;
  const message = said ?? `Error creating: ${text}`;
  await tell(holder, owner, { type: "Warning", reason: "FailedCreate", message }, signal);
  return { reason: "FailedCreate", message };
}

function isNamespaceEnding(error: unknown): boolean {
  const causes = error instanceof KubeError && error.reason === "Forbidden" ? error.details?.causes : undefined;
  return causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false;
}

export async function deletePods<T extends KubeObject>(
  holder: PodHolder<T>,
  owner: T,
  victims: readonly Pod[],
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  let failure: WriteFailure | undefined;
  for (const pod of victims) {
    const { namespace = "", name, uid = "" } = pod.metadata;
    try {
      await holder.context.cluster.delete(pods, { namespace, name }, { preconditions: { uid }, signal });
      holder.pods.deleted(pod);
      const message = holder.words?.("delete", pod, owner, undefined) ?? `Deleted pod: ${name}`;
      await tell(holder, owner, { type: "Normal", reason: "SuccessfulDelete", message }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) continue;
      const text = errorMessage(error);
      const message = holder.words?.("delete", pod, owner, text) ?? `Error deleting: ${text}`;
      await tell(holder, owner, { type: "Warning", reason: "FailedDelete", message }, signal);
      failure ??= { reason: "FailedDelete", message };
    }
  }
  return failure;
}

/** A merge patch that fails where the pod is another one or has changed; gone is well. */
export async function patchPod<T extends KubeObject>(
  holder: Pick<PodHolder<T>, "context" | "pods">,
  pod: Pod,
  metadata: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid, resourceVersion } = pod.metadata;
  const patch = { metadata: { uid, resourceVersion, ...metadata } };
  try {
    holder.pods.written(
      await holder.context.cluster.patch(pods, { namespace, name }, { type: "merge", patch }, { signal }),
    );
  } catch (error) {
    if (!isKubeError(error, "NotFound")) throw error;
  }
}

/** `more` are other changes of the same patch, such as a finalizer that comes with being owned. */
export async function changePodOwner<T extends KubeObject>(
  holder: PodHolder<T>,
  owner: T,
  pod: Pod,
  change: "adopt" | "release",
  signal: AbortSignal,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (change === "adopt" && !(await isStillThere(holder, owner, signal))) return;
  const others = (pod.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  const ownerReferences = change === "adopt" ? [...others, ownerReference(holder.type, owner)] : others;
  await patchPod(holder, pod, { ownerReferences, ...more }, signal);
}

/** Asked of the store, not of the cache: an owner that is going must not take a pod with it. */
async function isStillThere<T extends KubeObject>(
  { context, type }: PodHolder<T>,
  { metadata }: T,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = "", name, uid } = metadata;
  const present = await context.cluster.get(type, { namespace, name }, { signal });
  return present?.metadata.uid === uid && present?.metadata.deletionTimestamp === undefined;
}

export async function tell<T extends KubeObject>(
  { context, type, component }: Pick<PodHolder<T>, "context" | "type" | "component">,
  owner: T,
  text: EventText,
  signal: AbortSignal,
): Promise<void> {
  await recordEvent({ ...context, component }, type, owner, text, signal);
}
