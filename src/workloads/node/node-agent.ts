/** Runs every pod of the embedded cluster: one `PodWorker` each, found again after a restart. */
import type { KubeObject, Pod } from "#api";
import type { Informer } from "#controller";
import { deepEqual, TaskGroup } from "#lib";
import { isEnded } from "../pod-state.ts";
import type { NodeContext } from "./node-context.ts";
import { registerNode } from "./node-status.ts";
import { PodWorker } from "./pod-worker.ts";

const roomPauseMs = 50;

export async function runNodeAgent(context: NodeContext, signal: AbortSignal): Promise<void> {
  const { log, runtime } = context;
  await using tasks = new TaskGroup((error, name) => log.error("Node agent task failed", { name, error }));
  const workers = new Map<string, PodWorker>();
  using subscriptions = new DisposableStack();
  await Promise.all(
    [...configuration(context), ...room(context), context.pods, context.services, context.runtimeClasses].map(
      (informer) => informer.synced(),
    ),
  );
  await registerNode(context, signal);
  await removeOrphans(context, signal);
  const follow = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? "";
    const known = workers.get(uid);
    if (known !== undefined) return known.notify();
    const worker = new PodWorker(context, pod);
    workers.set(uid, worker);
    tasks.start(`pod ${pod.metadata.name}`, async (stop) => {
      try {
        await worker.run(AbortSignal.any([signal, stop]));
      } finally {
        workers.delete(uid);
      }
    });
  };
  subscriptions.use(context.scheduler.follow());
  // A thousand pods that end together are one change for those that wait.
  let later: Disposable | undefined;
  const roomChanged = (): void => {
    later ??= context.clock.schedule(roomPauseMs, () => {
      later = undefined;
      for (const worker of workers.values()) worker.roomChanged();
    });
  };
  subscriptions.defer(() => later?.[Symbol.dispose]());
  subscriptions.use(
    context.pods.subscribe((event) => {
      if (event.type === "deleted") workers.get(event.object.metadata.uid ?? "")?.notify();
      else follow(event.object);
      // Deleted and made again under the same name between two looks of the cache.
      if (event.type === "updated" && event.old.metadata.uid !== event.object.metadata.uid) {
        workers.get(event.old.metadata.uid ?? "")?.notify();
      }
      if (event.type === "deleted" || (event.type === "updated" && changesRoom(event.old, event.object))) roomChanged();
    }),
  );
  for (const informer of configuration(context)) {
    subscriptions.use(
      informer.subscribe(({ object }) => {
        for (const worker of workers.values()) worker.configurationChanged(object.metadata.namespace ?? "");
      }),
    );
  }
  for (const informer of room(context)) subscriptions.use(informer.subscribe(roomChanged));
  // A pod may wait for the class that it names.
  subscriptions.use(context.runtimeClasses.subscribe(() => workers.forEach((worker) => worker.notify())));
  for await (const { podUid } of runtime.events.subscribe(signal)) workers.get(podUid)?.notify();
}

/** Kinds that the containers of a namespace are made of. */
function configuration({ configMaps, secrets, serviceAccounts, claims }: NodeContext): Informer<KubeObject>[] {
  return [configMaps, secrets, serviceAccounts, claims] as unknown as Informer<KubeObject>[];
}

/** Kinds that say whether there is room for a pod. */
function room({ nodes, claims, volumes }: NodeContext): Informer<KubeObject>[] {
  return [nodes, claims, volumes] as unknown as Informer<KubeObject>[];
}

/** It ended and leaves its room, or its labels mean something else to the affinity of others. */
function changesRoom(old: Pod, pod: Pod): boolean {
  return isEnded(old) !== isEnded(pod) || !deepEqual(old.metadata.labels, pod.metadata.labels);
}

/** Pods that were taken out of the store while nobody ran here. */
async function removeOrphans(context: NodeContext, signal: AbortSignal): Promise<void> {
  const known = new Set(context.pods.list().map((pod) => pod.metadata.uid));
  for (const { uid, namespace, name } of context.runtime.pods()) {
    if (known.has(uid)) continue;
    context.log.info("Ending a pod that is not in the cluster any more", { namespace, name });
    await context.runtime.removePod(uid, signal);
  }
}
