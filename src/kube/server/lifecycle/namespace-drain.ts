/** Empties namespaces that are being deleted, and lets them go when nothing is left in them. Event-driven. */
import { type AnyObject, namespaces } from "#api";
import { type Log, Wake } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { StoreChange } from "../../store/store-event.ts";
import type { ObjectApi } from "../object-api.ts";

const stepsPerTurn = 50;

export class NamespaceDrain implements Disposable {
  readonly #objects: ObjectApi;
  readonly #log: Log;
  readonly #wake = new Wake();
  /** Namespaces to look at. */
  readonly #due = new Set<string>();
  readonly #observation: Disposable;

  constructor(objects: ObjectApi, log: Log) {
    this.#objects = objects;
    this.#log = log;
    for (const namespace of objects.store.list(namespaces.plural)) this.#consider(namespace);
    this.#observation = objects.store.observe((change) => this.#see(change));
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      for (const name of this.#due) {
        this.#due.delete(name);
        try {
          await this.#drain(name, signal);
        } catch (error) {
          this.#due.add(name);
          throw error;
        }
      }
      await this.#wake.wait(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  #see(change: StoreChange): void {
    if (change.key.resource === namespaces.plural) {
      if (change.type !== "DELETED") this.#consider(change.object);
      return;
    }
    if (change.type !== "DELETED" || change.key.namespace === "") return;
    const namespace = this.#namespace(change.key.namespace);
    if (namespace !== undefined) this.#consider(namespace);
  }

  #consider(namespace: AnyObject): void {
    if (namespace.metadata.deletionTimestamp === undefined) return;
    this.#due.add(namespace.metadata.name);
    this.#wake.notify();
  }

  #namespace(name: string): AnyObject | undefined {
    return this.#objects.store.get({ resource: namespaces.plural, namespace: "", name });
  }

  async #drain(name: string, signal: AbortSignal): Promise<void> {
    const { store, kinds } = this.#objects;
    let left = 0;
    let steps = 0;
    for (const resource of store.resources()) {
      const kind = kinds.findByStoredName(resource);
      if (kind === undefined || !kind.type.namespaced) continue;
      for (const object of store.list(resource, name)) {
        left += 1;
        if (object.metadata.deletionTimestamp !== undefined) continue;
        try {
          if (this.#objects.delete(kind, { namespace: name, name: object.metadata.name }, {}).gone) left -= 1;
        } catch (error) {
          if (!(error instanceof KubeError)) throw error;
          this.#log.warn("Draining a namespace failed", {
            namespace: name,
            resource,
            object: object.metadata.name,
            error,
          });
        }
        if (++steps % stepsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    }
    const namespace = this.#namespace(name);
    if (left > 0 || namespace?.metadata.deletionTimestamp === undefined) return;
    if ((namespace.metadata.finalizers ?? []).length > 0) return;
    store.remove({ resource: namespaces.plural, namespace: "", name });
  }
}
