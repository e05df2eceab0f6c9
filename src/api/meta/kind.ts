/**
 * What the API server must know of a kind beyond its name. Each kind's file exports one `KindDefinition`; the registry
 * (`src/api/kinds.ts`) lists them. All functions are pure.
 */
import type { Problem } from "#lib";
import type { AnyObject, KubeObject } from "./object.ts";
import type { ResourceType } from "./resource-type.ts";

export interface KindDefinition<T extends KubeObject = AnyObject> {
  readonly type: ResourceType<T>;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** With a status subresource, writes to the main endpoint keep the old status and `/status` takes only the status. */
  readonly status: boolean;
  /** Where `/scale` reads and writes. */
  readonly scale?: { readonly specReplicas: string; readonly statusReplicas: string; readonly selector?: string };
  /**
   * False for kinds without `metadata.generation` (ConfigMap, Secret, Service, Event …). "with labels": it counts changes
   * of labels too. "once": it is 1 and stays so.
   */
  readonly generation: boolean | "with labels" | "once";
  /** True where a PUT must say which resourceVersion it replaces. */
  readonly lockedUpdates?: boolean;
  /** For a further version of a kind, which is kept in the form of another: both ways between the two. */
  readonly storedAs?: {
    readonly type: Pick<ResourceType<KubeObject>, "group" | "version" | "kind" | "plural">;
    readonly to: (object: T) => AnyObject;
    readonly from: (object: AnyObject) => T;
  };
  /** Fills in upstream's defaults. Gets its own copy and may change it. */
  readonly setDefaults?: (object: T) => void;
  /**
   * What the system itself sets once it is settled who owns what: addresses, selectors, fields of the status that a new
   * object has. Gets its own copy and may change it.
   */
  readonly complete?: (object: T, old: T | undefined, context: CompletionContext<T>) => void;
  /** Complete validation of the merged object; `old` on updates, for immutable fields. */
  readonly validate?: (object: T, old: T | undefined) => readonly Problem[];
  /** Top-level field names allowed beside apiVersion, kind, metadata; unknown ones are pruned and warned of. */
  readonly fields?: readonly string[];
  /** Columns of `kubectl get`; Name comes first and Age last by themselves. */
  readonly columns?: readonly PrinterColumn<T>[];
  /** True when `columns` is the whole row: neither Name nor Age is added (upstream's Event). */
  readonly ownColumnsOnly?: boolean;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
}

export interface CompletionContext<T extends KubeObject = AnyObject> {
  readonly now: string;
  /** Every stored object of the kind: what is unique among them must not be given twice. */
  readonly peers: () => readonly T[];
}

export interface PrinterColumn<T extends KubeObject = AnyObject> {
  readonly name: string;
  readonly type?: "string" | "integer" | "date";
  /** True for columns of `-o wide` only. */
  readonly wide?: boolean;
  readonly cell: (object: T, now: Temporal.Instant) => string | number;
}

/** Forgets the object's type, so that kinds of all types stand in one list. The API server only ever hands a definition objects of its own kind. */
export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): KindDefinition {
  return definition as unknown as KindDefinition;
}
