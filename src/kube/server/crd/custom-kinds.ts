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
  /** Refused for their names once, and to be looked at again. */
  readonly #freed = new Set<string>();
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
    if (change.type === "DELETED") {
      this.#objects.kinds.removeCustom(key.name);
      this.#reconsider(change.object as unknown as CustomResourceDefinition);
    } else this.#serve(change.object as unknown as CustomResourceDefinition);
  }

  #serve(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata;
    // Kinds that are built in keep their own, stricter definition: upstream's CRDs of them change nothing.
    const serves = !this.#objects.kinds.isBuiltin(name) && (isEstablished(crd) || this.#conflictOf(crd) === undefined);
    if (serves) this.#objects.kinds.setCustom(name, customKinds(crd));
    this.#enqueue(name);
  }

  /** Who was refused because of the names of this one may have them now. */
  #reconsider(gone: CustomResourceDefinition): void {
    for (const other of this.#objects.store.list(resource)) {
      const crd = other as unknown as CustomResourceDefinition;
      if (crd.spec.group !== gone.spec.group || !isRefused(crd)) continue;
      this.#freed.add(crd.metadata.name);
      this.#enqueue(crd.metadata.name);
    }
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
    else if (!isEstablished(crd) && (!isRefused(crd) || this.#freed.delete(name))) this.#establish(crd);
  }

  #conflictOf({ metadata, spec }: CustomResourceDefinition): Taken | undefined {
    const others = this.#objects.store.list(resource).filter((other) => other.metadata.name !== metadata.name);
    return conflictOf(spec, others as unknown as readonly CustomResourceDefinition[]);
  }

  #establish(named: CustomResourceDefinition): void {
    const { name } = named.metadata;
    const time = toTimestamp(this.#clock.now());
    const taken = this.#conflictOf(named);
    this.#objects.rewrite({ resource, namespace: "", name }, (draft) => {
      const crd = draft as unknown as CustomResourceDefinition;
      crd.status = { ...crd.status, ...(taken === undefined ? accepted(crd, time) : refused(taken, time)) };
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

function accepted({ spec }: CustomResourceDefinition, time: string): Partial<Status> {
  return {
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time),
    ],
    acceptedNames: spec.names,
  };
}

function refused({ reason, message }: Taken, time: string): Partial<Status> {
  const no = { status: "False", lastTransitionTime: time } as const;
  return {
    conditions: [
      { ...no, type: "NamesAccepted", reason, message },
      { ...no, type: "Established", reason: "NotAccepted", message: "not all names are accepted" },
    ],
    acceptedNames: { plural: "", kind: "" },
  };
}

type Status = NonNullable<CustomResourceDefinition["status"]>;

interface Taken {
  readonly reason: string;
  readonly message: string;
}

/** Two CRDs of a group may not share a name by which a client asks for either. The first one keeps it. */
function conflictOf(
  spec: CustomResourceDefinition["spec"],
  others: readonly CustomResourceDefinition[],
): Taken | undefined {
  const rivals = others.filter((other) => other.spec.group === spec.group && isEstablished(other));
  const resources = new Set(
    rivals.flatMap(({ spec: { names } }) => [names.plural, names.singular ?? "", ...(names.shortNames ?? [])]),
  );
  const kinds = new Set(rivals.flatMap(({ spec: { names } }) => [names.kind, names.listKind ?? ""]));
  const { plural, singular = "", shortNames = [], kind, listKind = "" } = spec.names;
  const wanted: readonly (readonly [field: string, name: string, taken: ReadonlySet<string>])[] = [
    ["Plural", plural, resources],
    ["Singular", singular, resources],
    ...shortNames.map((name) => ["ShortNames", name, resources] as const),
    ["Kind", kind, kinds],
    ["ListKind", listKind, kinds],
  ];
  const found = wanted.find(([, name, taken]) => name !== "" && taken.has(name));
  if (found === undefined) return undefined;
  return { reason: `${found[0]}Conflict`, message: `${JSON.stringify(found[1])} is already in use` };
}

function isRefused(crd: CustomResourceDefinition): boolean {
  return crd.status?.conditions?.some(({ type, status }) => type === "NamesAccepted" && status === "False") ?? false;
}

function condition(type: string, reason: string, message: string, lastTransitionTime: string): Condition {
  return { type, status: "True", reason, message, lastTransitionTime };
}
