/** A real Kubernetes API behind the port that controllers know. */
import {
  apiVersionOf,
  type CustomResourceDefinition,
  customResourceDefinitions,
  type KubeObject,
  type ResourceType,
} from "#api";
import { type Clock, isAbort, isObject, type Log, TaskGroup } from "#lib";
import type {
  Cluster,
  ClusterCapabilities,
  DeleteOptions,
  ListOptions,
  ObjectList,
  Patch,
  PatchOptions,
  RequestOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../cluster.ts";
import { isKubeError } from "../kube-error.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { KnownTypes } from "./known-types.ts";
import { collectionPath, objectPath, type Place, query } from "./resource-paths.ts";
import { watchRemote } from "./watch-remote.ts";

export interface RemoteClusterOptions {
  readonly connection: ConnectionOptions;
  /** True where our own routers serve the pods of the cluster, and read its TrafficSplits. */
  readonly exactWeights?: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface RemoteCluster extends Cluster, AsyncDisposable {}

/** Resolves once the server has said which kinds it serves. Throws `KubeError` when it cannot be reached or refuses. */
export async function connectRemoteCluster(options: RemoteClusterOptions): Promise<RemoteCluster> {
  const connection = new Connection(options.connection);
  try {
    const types = new KnownTypes(connection);
    await types.refresh(options.signal);
    return new ClusterOverHttp(connection, types, options);
  } catch (error) {
    connection[Symbol.dispose]();
    throw error;
  }
}

const defaultManager = "tidegate";
/** As kubectl asks: large enough to be few requests, small enough to hold nobody up. */
const listLimit = 500;
const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

class ClusterOverHttp implements RemoteCluster {
  readonly capabilities: ClusterCapabilities;
  readonly #connection: Connection;
  readonly #types: KnownTypes;
  readonly #clock: Clock;
  readonly #tasks: TaskGroup;

  constructor(connection: Connection, types: KnownTypes, options: RemoteClusterOptions) {
    const { clock, log, exactWeights = false } = options;
    this.capabilities = { exactWeights };
    this.#connection = connection;
    this.#types = types;
    this.#clock = clock;
    this.#tasks = new TaskGroup((error, task) => log.error("Following a remote cluster ended", { task, error }));
    this.#tasks.start("custom kinds", (signal) => this.#followKinds(log, signal));
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    place: Place,
    options: RequestOptions,
  ): Promise<T | undefined> {
    try {
      return await this.#call<T>("GET", objectPath(type, place), options.signal);
    } catch (error) {
      if (isKubeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions): Promise<ObjectList<T>> {
    for (;;) {
      try {
        return await this.#listParts(type, options);
      } catch (error) {
        // The snapshot of the first part is gone before the last was read: begin again.
        if (!isKubeError(error, "Expired")) throw error;
        options.signal.throwIfAborted();
      }
    }
  }

  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return watchRemote(this.#connection, this.#clock, type, options);
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    const { namespace = "default" } = object.metadata;
    const path = collectionPath(type, namespace) + writeQuery(options);
    return await this.#call<T>("POST", path, options.signal, typed(type, object));
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    return await this.#put(type, object, undefined, options);
  }

  async updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    return await this.#put(type, object, "status", options);
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    place: Place,
    patch: Patch,
    options: PatchOptions,
  ): Promise<T> {
    const path = objectPath(type, place, options.subresource) + writeQuery(options);
    const request = { method: "PATCH", path, body: patch.patch, contentType: patchTypes[patch.type] } as const;
    return (await this.#connection.json({ ...request, signal: options.signal })) as T;
  }

  async delete(type: ResourceType<KubeObject>, place: Place, options: DeleteOptions): Promise<void> {
    const { propagationPolicy, gracePeriodSeconds, preconditions, dryRun } = options;
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(preconditions === undefined ? {} : { preconditions }),
      ...(dryRun === true ? { dryRun: ["All"] } : {}),
    };
    await this.#call("DELETE", objectPath(type, place), options.signal, body);
  }

  resolveType(apiVersion: string, kind: string): ResourceType | undefined {
    return this.#types.find(apiVersion, kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    this.#connection[Symbol.dispose]();
  }

  async #listParts<T extends KubeObject>(type: ResourceType<T>, options: ListOptions): Promise<ObjectList<T>> {
    const { namespace, labelSelector, fieldSelector, signal } = options;
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const parameters = { labelSelector, fieldSelector, limit: listLimit, continue: next };
      const answer = await this.#call<ListAnswer<T>>(
        "GET",
        collectionPath(type, namespace) + query(parameters),
        signal,
      );
      // Items of a list do not say what they are.
      for (const item of answer.items ?? []) items.push(typed(type, item));
      next = answer.metadata.continue;
      if (next === undefined || next === "") return { items, resourceVersion: answer.metadata.resourceVersion };
    }
  }

  async #put<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    subresource: string | undefined,
    options: WriteOptions,
  ): Promise<T> {
    const path = objectPath(type, object.metadata, subresource) + writeQuery(options);
    return await this.#call<T>("PUT", path, options.signal, typed(type, object));
  }

  async #call<T>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<T> {
    return (await this.#connection.json({ method, path, signal, ...(body === undefined ? {} : { body }) })) as T;
  }

  async #refreshUntilServed(definition: CustomResourceDefinition, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < maxRediscoveries; attempt++) {
      await this.#types.refresh(signal);
      if (isServed(this.#types, definition)) return;
      await this.#clock.sleep(rediscoverMs, signal);
    }
  }

  /** A kind is there to be resolved as soon as its definition is established. */
  async #followKinds(log: Log, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { resourceVersion } = await this.list(customResourceDefinitions, { signal });
        await this.#types.refresh(signal);
        for await (const event of this.watch(customResourceDefinitions, { resourceVersion, signal })) {
          if (event.type !== "BOOKMARK") await this.#refreshUntilServed(event.object, signal);
        }
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        if (!isKubeError(error, "Expired")) log.warn("Cannot follow the kinds of the cluster, trying again", { error });
        await this.#clock.sleep(relistMs, signal).catch(() => {});
      }
    }
  }
}

/** A definition is established a moment before discovery tells of its kind. */
function isServed(types: KnownTypes, { spec, status }: CustomResourceDefinition): boolean {
  const established = status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True");
  if (established !== true) return true;
  const served = spec.versions.filter((version) => version.served);
  return served.every(({ name }) => types.find(`${spec.group}/${name}`, spec.names.kind) !== undefined);
}

const relistMs = 1000;
const rediscoverMs = 200;
const maxRediscoveries = 25;

interface ListAnswer<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly T[];
}

function typed<T extends KubeObject>(type: ResourceType<T>, object: T): T {
  if (isObject(object) && object.kind !== undefined && object.apiVersion !== undefined) return object;
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind };
}

function writeQuery(options: WriteOptions): string {
  const { fieldManager = defaultManager, dryRun = false } = options;
  return query({ fieldManager, dryRun: dryRun ? "All" : undefined });
}
