/**
 * The one port by which controllers know a cluster. The embedded API server implements it in process over SQLite; a
 * client of a real Kubernetes API implements it over HTTPS. No controller can tell which one it has, except by
 * `capabilities`.
 *
 * Objects that come back are shared with caches: treat them as frozen and copy before changing (`structuredClone`).
 */
import type { KubeObject, ResourceType } from "#api";

export interface ClusterCapabilities {
  /** True when an embedded router splits traffic exactly by pod-template-hash, with no traffic router named in YAML. */
  readonly exactWeights: boolean;
}

export interface RequestOptions {
  readonly signal: AbortSignal;
}

export interface ListOptions extends RequestOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** Watch from here to miss nothing. */
  readonly resourceVersion: string;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface WatchOptions extends ListOptions {
  /** Events after this version. Too old: throws `KubeError` with reason `Expired`; list again. */
  readonly resourceVersion: string;
}

export interface WriteOptions extends RequestOptions {
  /** Owner of the fields in managedFields and server-side apply; default "tidegate". */
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export type Patch =
  | { readonly type: "merge"; readonly patch: unknown }
  | { readonly type: "json"; readonly patch: readonly JsonPatchOperation[] }
  | { readonly type: "strategic"; readonly patch: unknown };

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: "status" | "scale";
}

export type PropagationPolicy = "Background" | "Foreground" | "Orphan";

export interface DeleteOptions extends RequestOptions {
  readonly propagationPolicy?: PropagationPolicy;
  /** 0 removes a pod at once; otherwise it stays with a deletionTimestamp until its runner confirms. */
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

/** Every method throws `KubeError` (a Kubernetes `Status`) when refused; `get` of a missing object is undefined. */
export interface Cluster {
  readonly capabilities: ClusterCapabilities;

  get<T extends KubeObject>(
    type: ResourceType<T>,
    key: { readonly namespace?: string; readonly name: string },
    options: RequestOptions,
  ): Promise<T | undefined>;

  list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions): Promise<ObjectList<T>>;

  /** Ends normally when the signal aborts. */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;

  create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T>;

  /** PUT with the object's resourceVersion as the lock. Keeps the stored status where the kind splits it. */
  update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T>;

  /** PUT of the status subresource, locked by resourceVersion. */
  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T>;

  patch<T extends KubeObject>(
    type: ResourceType<T>,
    key: { readonly namespace?: string; readonly name: string },
    patch: Patch,
    options: PatchOptions,
  ): Promise<T>;

  delete(
    type: ResourceType<KubeObject>,
    key: { readonly namespace?: string; readonly name: string },
    options: DeleteOptions,
  ): Promise<void>;

  /** The type that serves this apiVersion and kind, or undefined; knows the kinds of CRDs too. */
  resolveType(apiVersion: string, kind: string): ResourceType | undefined;
}
