/**
 * The cluster that lives in this process: the API server's verbs over its SQLite store, behind the port controllers
 * know. It owns what keeps a cluster in order by itself: garbage collection, draining of namespaces, bookmarks.
 */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { builtinKinds, type KindDefinition, type KubeObject, type ResourceType } from "#api";
import { type Clock, type Ids, type Log, TaskGroup } from "#lib";
import { Authorizer } from "../server/authorization/authorizer.ts";
import { installDefaultRoles } from "../server/authorization/reconcile-defaults.ts";
import { RoleAggregation } from "../server/authorization/role-aggregation.ts";
import { CustomKinds } from "../server/crd/custom-kinds.ts";
import { createDefaultNamespaces } from "../server/lifecycle/default-namespaces.ts";
import { GarbageCollector } from "../server/lifecycle/garbage-collector.ts";
import { keepTidy } from "../server/lifecycle/housekeeping.ts";
import { NamespaceDrain } from "../server/lifecycle/namespace-drain.ts";
import { ObjectApi, type Place } from "../server/object-api.ts";
import { KindRegistry } from "../server/registry/kind-registry.ts";
import type { ServedKind } from "../server/registry/served-kind.ts";
import { patchScale } from "../server/scale/scale.ts";
import { watchChanges } from "../server/read/watch-changes.ts";
import { selectionOf } from "../server/select/selection.ts";
import { AccountKeeper } from "../server/service-accounts/account-keeper.ts";
import { AccountTokens } from "../server/service-accounts/account-tokens.ts";
import { plainWrite, type WriteRequest } from "../server/write/write-request.ts";
import { ObjectStore } from "../store/object-store.ts";
import type { Retention } from "../store/watch-log.ts";
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
} from "./cluster.ts";

export interface EmbeddedClusterOptions {
  /** Path of the SQLite file, which this process alone may open; `:memory:` for tests. */
  readonly file: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Default: every kind of `#api`. */
  readonly kinds?: readonly KindDefinition[];
  /** How much of the past lists and watches may still ask for. */
  readonly retention?: Retention;
  /** Signs the tokens of service accounts (P-256). Default: a key of this process, whose tokens end with it. */
  readonly signingKey?: KeyObject;
  /** PEM of the authority by which clients inside the cluster know its API; default: none. */
  readonly authority?: string;
}

export interface EmbeddedCluster extends Cluster, AsyncDisposable {
  /** What the HTTP face serves from. */
  readonly objects: ObjectApi;
  /** Who may do what, by the stored roles and bindings. */
  readonly authorizer: Authorizer;
  /** Issues and checks tokens of service accounts, also for the pods that run here. */
  readonly accounts: AccountTokens;
}

/** Opens (and creates) the file; takes up unfinished deletions where the last process left them. */
export function openEmbeddedCluster(options: EmbeddedClusterOptions): EmbeddedCluster {
  return new ClusterInProcess(options);
}

const defaultManager = "tidegate";
const restartDelayMs = 5_000;

class ClusterInProcess implements EmbeddedCluster {
  readonly capabilities: ClusterCapabilities = { exactWeights: true };
  readonly objects: ObjectApi;
  readonly authorizer: Authorizer;
  readonly accounts: AccountTokens;
  readonly #tasks: TaskGroup;
  readonly #owned = new DisposableStack();

  constructor(options: EmbeddedClusterOptions) {
    const { file, clock, ids, log, kinds = builtinKinds, retention } = options;
    const store = this.#owned.use(new ObjectStore({ file, clock, ...(retention === undefined ? {} : { retention }) }));
    this.objects = new ObjectApi({ store, kinds: new KindRegistry(kinds), clock, ids });
    const customs = this.#owned.use(new CustomKinds(this.objects, clock, log));
    createDefaultNamespaces(this.objects);
    installDefaultRoles(this.objects);
    const aggregation = this.#owned.use(new RoleAggregation(this.objects, log));
    this.authorizer = this.#owned.use(new Authorizer(store));
    const { authority = "", signingKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey } = options;
    this.accounts = new AccountTokens({ store, clock, ids, signingKey, authority });
    const keeper = this.#owned.use(new AccountKeeper(this.objects, this.accounts, log));
    const collector = this.#owned.use(new GarbageCollector(this.objects, log));
    const drain = this.#owned.use(new NamespaceDrain(this.objects, log));
    this.#tasks = new TaskGroup((error, task) => log.error("Cluster housekeeping ended", { task, error }));
    const keepRunning = (task: string, work: (signal: AbortSignal) => Promise<void>): void => {
      this.#tasks.start(task, (signal) => again({ task, work, clock, log, signal }));
    };
    keepRunning("custom kinds", (signal) => customs.run(signal));
    keepRunning("garbage collection", (signal) => collector.run(signal));
    keepRunning("namespace drain", (signal) => drain.run(signal));
    keepRunning("aggregated roles", (signal) => aggregation.run(signal));
    keepRunning("service accounts", (signal) => keeper.run(signal));
    keepRunning("bookmarks and old events", (signal) => keepTidy(this.objects, clock, signal));
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    place: Place,
    options: RequestOptions,
  ): Promise<T | undefined> {
    options.signal.throwIfAborted();
    return await settled<T | undefined>(this.objects.find(this.#kind(type), place));
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions): Promise<ObjectList<T>> {
    options.signal.throwIfAborted();
    const kind = this.#kind(type);
    const items = this.objects.list(kind, selectionOf(kind, options));
    return await settled<ObjectList<T>>({ items, resourceVersion: String(this.objects.store.revision) });
  }

  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const kind = this.#kind(type);
    const { resourceVersion, signal } = options;
    const events = watchChanges(this.objects, kind, { selection: selectionOf(kind, options), resourceVersion, signal });
    return events as AsyncIterable<unknown> as AsyncIterable<WatchEvent<T>>;
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    options.signal.throwIfAborted();
    const kind = this.#kind(type);
    return await settled<T>(this.objects.create(kind, object.metadata.namespace, object, writeRequest(options)));
  }

  async update<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    options.signal.throwIfAborted();
    const request = writeRequest(options);
    return await settled<T>(this.objects.update(this.#kind(type), object.metadata, object, request));
  }

  async updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions): Promise<T> {
    options.signal.throwIfAborted();
    const request: WriteRequest = { ...writeRequest(options), subresource: "status" };
    return await settled<T>(this.objects.update(this.#kind(type), object.metadata, object, request));
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    place: Place,
    patch: Patch,
    options: PatchOptions,
  ): Promise<T> {
    options.signal.throwIfAborted();
    const kind = this.#kind(type);
    const request = { ...writeRequest(options), subresource: options.subresource };
    if (options.subresource === "scale") return await settled<T>(patchScale(this.objects, kind, place, patch, request));
    return await settled<T>(this.objects.patch(kind, place, patch, request));
  }

  async delete(type: ResourceType<KubeObject>, place: Place, options: DeleteOptions): Promise<void> {
    options.signal.throwIfAborted();
    await settled(this.objects.delete(this.#kind(type), place, options));
  }

  resolveType(apiVersion: string, kind: string): ResourceType | undefined {
    return this.objects.kinds.findByKind(apiVersion, kind)?.type;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    this.#owned[Symbol.dispose]();
  }

  #kind(type: ResourceType<KubeObject>): ServedKind {
    return this.objects.kinds.serving(type);
  }
}

/** Runs work that only ends by the signal; what it throws (a full disk, say) is logged, and it starts again. */
async function again(job: {
  readonly task: string;
  readonly work: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { task, work, clock, log, signal } = job;
  for (;;) {
    try {
      await work(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.error("Cluster housekeeping failed and starts again", { task, error });
    }
    await clock.sleep(restartDelayMs, signal);
  }
}

/** Stored objects are of the kind asked for: the registry routes by the same type that carries `T`. */
function settled<T>(value: unknown): Promise<T> {
  return Promise.resolve(value as T);
}

function writeRequest(options: WriteOptions): WriteRequest {
  return plainWrite(options.fieldManager ?? defaultManager, options.dryRun ?? false);
}
