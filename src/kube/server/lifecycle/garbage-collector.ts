/**
 * Owner references: what goes when its owner goes. Event-driven; each step is planned from the state at that moment, so
 * a step that comes twice or late does no harm, and a start after a crash only has to look at everything once.
 */
import type { AnyObject } from "#api";
import { type Log, Wake } from "#lib";
import { isKubeError, KubeError } from "../../client/kube-error.ts";
import type { ObjectKey } from "../../store/object-key.ts";
import type { StoreChange } from "../../store/store-event.ts";
import type { ObjectApi } from "../object-api.ts";
import { foregroundFinalizer, orphanFinalizer } from "./deletion.ts";
import { type CollectorAction, planDependent, planOwner } from "./garbage-plan.ts";

/** Steps between two turns of the event loop, so that a large cascade does not hold requests up. */
const stepsPerTurn = 50;

export class GarbageCollector implements Disposable {
  readonly #objects: ObjectApi;
  readonly #log: Log;
  readonly #wake = new Wake();
  /** Objects to look at, by their path, in the order they came. */
  readonly #queue = new Map<string, ObjectKey>();
  readonly #observation: Disposable;

  constructor(objects: ObjectApi, log: Log) {
    this.#objects = objects;
    this.#log = log;
    for (const resource of objects.store.resources()) {
      for (const object of objects.store.list(resource)) {
        if (isOfInterest(object)) this.#enqueue(placeOf(resource, object));
      }
    }
    this.#observation = objects.store.observe((change) => this.#see(change));
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      let steps = 0;
      for (const [path, key] of this.#queue) {
        this.#queue.delete(path);
        this.#step(key);
        steps += 1;
        if (steps % stepsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
      await this.#wake.wait(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  #see(change: StoreChange): void {
    if (change.type !== "DELETED") {
      if (isOfInterest(change.object)) this.#enqueue(change.key);
      return;
    }
    for (const key of this.#objects.store.dependents(change.object.metadata.uid ?? "")) this.#enqueue(key);
    for (const owner of change.object.metadata.ownerReferences ?? []) {
      // An owner that is being deleted in the foreground may have waited for this one.
      const key = this.#objects.store.keyOfUid(owner.uid);
      if (key !== undefined) this.#enqueue(key);
    }
  }

  #enqueue(key: ObjectKey): void {
    this.#queue.set(`${key.resource}/${key.namespace}/${key.name}`, key);
    this.#wake.notify();
  }

  #step(key: ObjectKey): void {
    const { store } = this.#objects;
    const object = store.get(key);
    if (object === undefined) return;
    const exists = (uid: string): AnyObject | undefined => {
      const owner = store.keyOfUid(uid);
      return owner === undefined ? undefined : store.get(owner);
    };
    const dependents = store.dependents(object.metadata.uid ?? "").flatMap((place) => {
      const dependent = store.get(place);
      return dependent === undefined ? [] : [{ key: place, object: dependent }];
    });
    for (const action of [...planDependent(key, object, exists), ...planOwner(key, object, dependents)]) {
      try {
        this.#act(action);
      } catch (error) {
        // Gone or replaced meanwhile: then its own events bring it here again, if there is anything to do.
        if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) continue;
        if (!(error instanceof KubeError)) {
          this.#enqueue(key);
          throw error;
        }
        this.#log.warn("Garbage collection of an object failed", { object: `${key.resource} ${key.name}`, error });
      }
    }
  }

  #act(action: CollectorAction): void {
    switch (action.kind) {
      case "delete": {
        const kind = this.#objects.kinds.findByStoredName(action.key.resource);
        if (kind === undefined) return;
        this.#objects.delete(kind, action.key, {
          propagationPolicy: action.propagationPolicy,
          preconditions: { uid: action.uid },
        });
        return;
      }
      case "disown":
        this.#objects.rewrite(action.key, (draft) => {
          const kept = (draft.metadata.ownerReferences ?? []).filter((owner) => !action.ownerUids.includes(owner.uid));
          if (kept.length > 0) draft.metadata.ownerReferences = kept;
          else delete draft.metadata.ownerReferences;
        });
        return;
      case "release":
        this.#objects.rewrite(action.key, (draft) => {
          const kept = (draft.metadata.finalizers ?? []).filter((finalizer) => finalizer !== action.finalizer);
          if (kept.length > 0) draft.metadata.finalizers = kept;
          else delete draft.metadata.finalizers;
        });
    }
  }
}

function isOfInterest(object: AnyObject): boolean {
  const { ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
  if (ownerReferences.length > 0) return true;
  if (deletionTimestamp === undefined) return false;
  return finalizers.includes(foregroundFinalizer) || finalizers.includes(orphanFinalizer);
}

function placeOf(resource: string, object: AnyObject): ObjectKey {
  return { resource, namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}
