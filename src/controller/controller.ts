/** The reconcile loop: knows objects, requests and outcomes, and no feature. */
import { controllerOf, type KubeObject, type ResourceType } from "#api";
import { type Clock, type Ids, isAbort, type Log } from "#lib";
import { isKubeError } from "#kube";
import type { Informers } from "./informers.ts";
import { type Outcome, type Request, requestKey } from "./outcome.ts";
import { WorkQueue } from "./work-queue.ts";

/** Changes of another kind that concern the primary: `requests` names whom. Make one with `watching`. */
export interface Watching {
  readonly type: ResourceType<KubeObject>;
  readonly requests: (object: KubeObject) => readonly Request[];
}

export interface ControllerOptions<T extends KubeObject> {
  readonly name: string;
  readonly informers: Informers;
  readonly primary: ResourceType<T>;
  readonly watches?: readonly Watching[];
  /** Brings the world nearer to what the object says. A throw backs off and tries again. */
  readonly reconcile: (request: Request, signal: AbortSignal) => Promise<Outcome>;
  /** Keys handled at once; default 4. */
  readonly concurrency?: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface Controller {
  readonly name: string;
  enqueue(request: Request): void;
  /** Reconciles until the signal aborts and the running reconciles have ended. */
  run(signal: AbortSignal): Promise<void>;
}

export function watching<T extends KubeObject>(
  type: ResourceType<T>,
  requests: (object: T) => readonly Request[],
): Watching {
  return { type, requests: (object) => requests(object as T) };
}

/** Maps an object to its controlling owner of kind `kind`. */
export function requestsOfOwner(kind: string): (object: KubeObject) => readonly Request[] {
  return (object) => {
    const owner = controllerOf(object);
    if (owner?.kind !== kind) return [];
    return [{ namespace: object.metadata.namespace ?? "", name: owner.name }];
  };
}

export function createController<T extends KubeObject>(options: ControllerOptions<T>): Controller {
  const queue = new WorkQueue({ clock: options.clock, ids: options.ids });
  const log = options.log.with({ controller: options.name });
  const enqueue = (request: Request): void => queue.add(requestKey(request));
  return {
    name: options.name,
    enqueue,
    async run(signal) {
      using subscriptions = new DisposableStack();
      subscribe(options, enqueue, subscriptions);
      await options.informers.synced();
      const workers = Array.from({ length: options.concurrency ?? 4 }, () => work(options, queue, log, signal));
      await Promise.all(workers);
      queue.close();
    },
  };
}

function subscribe<T extends KubeObject>(
  options: ControllerOptions<T>,
  enqueue: (request: Request) => void,
  subscriptions: DisposableStack,
): void {
  const primary = options.informers.for(options.primary);
  subscriptions.use(primary.subscribe((event) => enqueue(requestFor(event.object))));
  for (const watch of options.watches ?? []) {
    const informer = options.informers.for(watch.type);
    const handle = informer.subscribe((event) => {
      for (const request of watch.requests(event.object)) enqueue(request);
      // An object that changes owners concerns the former one too.
      if (event.type === "updated") for (const request of watch.requests(event.old)) enqueue(request);
    });
    subscriptions.use(handle);
  }
}

function requestFor(object: KubeObject): Request {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

async function work<T extends KubeObject>(
  options: ControllerOptions<T>,
  queue: WorkQueue,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let key: string;
    try {
      key = await queue.take(signal);
    } catch {
      return;
    }
    try {
      await handle(options, queue, log, key, signal);
    } finally {
      queue.done(key);
    }
  }
}

async function handle<T extends KubeObject>(
  options: ControllerOptions<T>,
  queue: WorkQueue,
  log: Log,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const slash = key.indexOf("/");
  const request: Request = { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
  try {
    const outcome = await options.reconcile(request, signal);
    queue.succeeded(key);
    if (outcome.kind === "wait") queue.addAfter(key, outcome.ms);
    if (outcome.kind === "stalled") {
      log.info("Stalled", { object: key, reason: outcome.reason, detail: outcome.message });
    }
  } catch (error) {
    if (signal.aborted && isAbort(error)) return;
    const delayMs = Math.round(queue.addAfterFailure(key));
    // A lost race for the resourceVersion is normal: the next reconcile sees the newer object.
    if (isKubeError(error, "Conflict")) log.debug("Lost a race, trying again", { object: key, delayMs });
    else log.warn("Reconcile failed, trying again", { object: key, delayMs, error });
  }
}
