/**
 * Keeps the served kinds in step with the CustomResourceDefinitions, and brings a CRD through its life: names accepted
 * and established after its kinds are served; on deletion its objects first, then the CRD. Event-driven.
 */
import {
  type Condition,
  crdCleanupFinalizer,
  type CustomResourceDefinition,
  customResourceDefinitions,
  qualifiedPlural,
} from "#api";
import { type Clock, type Log, toTimestamp, Wake } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { StoreChange } from "../../store/store-event.ts";
import type { ObjectApi } from "../object-api.ts";
import { customKinds } from "./custom-kind.ts";

const resource = qualifiedPlural(customResourceDefinitions);

export class CustomKinds implements Disposable {
  readonly #objects: ObjectApi;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #wake = new Wake();
  /** CRDs to look at. */
  readonly #due = new Set<string>();
  readonly #observation: Disposable;

  constructor(objects: ObjectApi, clock: Clock, log: Log) {
    this.#objects = objects;
    this.#clock = clock;
    this.#log = log;
    for (const crd of objects.store.list(resource)) this.#serve(crd as unknown as CustomResourceDefinition);
    this.#observation = objects.store.observe((change) => this.#see(change));
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      for (const name of this.#due) {
        this.#due.delete(name);
        try {
          this.#settle(name);
        } catch (error) {
          if (!(error instanceof KubeError)) {
            this.#due.add(name);
            throw error;
          }
          this.#log.warn("Settling a CustomResourceDefinition failed", { name, error });
        }
      }
      await this.#wake.wait(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  #see(change: StoreChange): void {
    const { key } = change;
    if (key.resource !== resource) {
      // The last object of a CRD that is being deleted may have gone.
      if (change.type === "DELETED" && this.#crd(key.resource)?.metadata.deletionTimestamp !== undefined) {
        this.#enqueue(key.resource);
      }
      return;
    }
    if (change.type === "DELETED") this.#objects.kinds.removeCustom(key.name);
    else this.#serve(change.object as unknown as CustomResourceDefinition);
  }

  #serve(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata;
    // Kinds that are built in keep their own, stricter definition: upstream's CRDs of them change nothing.
    if (!this.#objects.kinds.isBuiltin(name)) this.#objects.kinds.setCustom(name, customKinds(crd));
    this.#enqueue(name);
  }

  #enqueue(name: string): void {
    this.#due.add(name);
    this.#wake.notify();
  }

  #crd(name: string): CustomResourceDefinition | undefined {
    return this.#objects.store.get({ resource, namespace: "", name }) as unknown as
      | CustomResourceDefinition
      | undefined;
  }

  #settle(name: string): void {
    const crd = this.#crd(name);
    if (crd === undefined) return;
    if (crd.metadata.deletionTimestamp !== undefined) this.#cleanUp(crd);
    else if (!isEstablished(crd)) this.#establish(crd);
  }

  #establish({ metadata: { name } }: CustomResourceDefinition): void {
    const time = toTimestamp(this.#clock.now());
    this.#objects.rewrite({ resource, namespace: "", name }, (draft) => {
      const crd = draft as unknown as CustomResourceDefinition;
      const { names, versions } = crd.spec;
      crd.status = {
        conditions: [
          condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
          condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time),
        ],
        acceptedNames: names,
        storedVersions: versions.filter(({ storage }) => storage).map((version) => version.name),
      };
    });
  }

  #cleanUp({ metadata: { name } }: CustomResourceDefinition): void {
    const { store, kinds } = this.#objects;
    const kind = kinds.isBuiltin(name) ? undefined : kinds.findByStoredName(name);
    for (const { metadata } of kind === undefined ? [] : store.list(name)) {
      if (kind !== undefined && metadata.deletionTimestamp === undefined) this.#objects.delete(kind, metadata, {});
    }
    if (kind !== undefined && store.list(name).length > 0) return;
    this.#objects.rewrite({ resource, namespace: "", name }, ({ metadata }) => {
      metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== crdCleanupFinalizer);
    });
  }
}

function isEstablished(crd: CustomResourceDefinition): boolean {
  return crd.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") ?? false;
}

function condition(type: string, reason: string, message: string, lastTransitionTime: string): Condition {
  return { type, status: "True", reason, message, lastTransitionTime };
}
