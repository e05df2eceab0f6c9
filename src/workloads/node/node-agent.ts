/** Runs every pod of the embedded cluster: one `PodWorker` each, found again after a restart. */
import type { KubeObject, Pod } from "#api";
import type { Informer, InformerEvent } from "#controller";
import { deepEqual, TaskGroup } from "#lib";
import { isEnded } from "../pod-state.ts";
import type { NodeContext } from "./node-context.ts";
import { registerNode } from "./node-status.ts";
import { PodWorker } from "./pod-worker.ts";

/** A thousand pods that end together are one change for those that wait. */
const roomPauseMs = 50;

export async function runNodeAgent(context: NodeContext, signal: AbortSignal): Promise<void> {
  const { log, runtime, runtimeClasses, scheduler } = context;
  await using tasks = new TaskGroup((error, name) => log.error("Node agent task failed", { name, error }));
  using subscriptions = new DisposableStack();
  const watched = [...configuration(context), ...room(context), context.pods, context.services, runtimeClasses];
  await Promise.all(watched.map((informer) => informer.synced()));
  await registerNode(context, signal);
  await removeOrphans(context, signal);
  const workers = subscriptions.use(new Workers(context, tasks, signal));
  // Who is placed counts before anybody is asked whether there is room.
  subscriptions.use(scheduler.follow());
  subscriptions.use(context.pods.subscribe((event) => workers.podChanged(event)));
  for (const informer of configuration(context)) {
    subscriptions.use(
      informer.subscribe(({ object }) =>
        workers.each((worker) => worker.configurationChanged(object.metadata.namespace ?? "")),
      ),
    );
  }
  for (const informer of room(context)) subscriptions.use(informer.subscribe(() => workers.roomChanged()));
  // A pod may wait for the class that it names.
  subscriptions.use(runtimeClasses.subscribe(() => workers.each((worker) => worker.notify())));
  for await (const { podUid } of runtime.events.subscribe(signal)) workers.notify(podUid);
}

/** One for each pod, by uid, for as long as it has something to do. */
class Workers implements Disposable {
  readonly #context: NodeContext;
  readonly #tasks: TaskGroup;
  readonly #signal: AbortSignal;
  readonly #workers = new Map<string, PodWorker>();
  #later: Disposable | undefined;

  constructor(context: NodeContext, tasks: TaskGroup, signal: AbortSignal) {
    this.#context = context;
    this.#tasks = tasks;
    this.#signal = signal;
  }

  podChanged(event: InformerEvent<Pod>): void {
    if (event.type === "deleted") this.notify(event.object.metadata.uid);
    else this.#follow(event.object);
    if (event.type === "deleted") return this.roomChanged();
    if (event.type === "added") return;
    // Deleted and made again under the same name between two looks of the cache.
    if (event.old.metadata.uid !== event.object.metadata.uid) this.notify(event.old.metadata.uid);
    if (changesRoom(event.old, event.object)) this.roomChanged();
  }

  notify(uid: string | undefined): void {
    this.#workers.get(uid ?? "")?.notify();
  }

  each(act: (worker: PodWorker) => void): void {
    for (const worker of this.#workers.values()) act(worker);
  }

  roomChanged(): void {
    this.#later ??= this.#context.clock.schedule(roomPauseMs, () => {
      this.#later = undefined;
      this.each((worker) => worker.roomChanged());
    });
  }

  [Symbol.dispose](): void {
    this.#later?.[Symbol.dispose]();
  }

  #follow(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.#workers.get(uid);
    if (known !== undefined) return known.notify();
    if (!concernsUs(this.#context, pod)) return;
    const worker = new PodWorker(this.#context, pod);
    this.#workers.set(uid, worker);
    this.#tasks.start(`pod ${pod.metadata.name}`, async (stop) => {
      try {
        await worker.run(AbortSignal.any([this.#signal, stop]));
      } finally {
        this.#workers.delete(uid);
      }
    });
  }
}

/** Others' pods may be many, and there is nothing to do for them until their end, which no other agent would confirm. */
function concernsUs({ nodeName, scheduler }: NodeContext, pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return true;
  const bound = pod.spec.nodeName ?? "";
  return bound === "" ? scheduler.isFor(pod) : bound === nodeName;
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
