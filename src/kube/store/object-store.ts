/**
 * Objects, their one revision counter and their watch log, in one SQLite file.
 *
 * Invariants: a change is committed before any method returns or any subscriber hears of it; revisions are dense and
 * never go back, over restarts too; subscribers of a resource hear of every change to it, in order, each once. All
 * methods are synchronous, so a caller that reads and writes without awaiting in between does so atomically.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { AnyObject } from "#api";
import { Channel, type Clock } from "#lib";
import { Collection } from "./collection.ts";
import { freezeDeep, thaw, withRevision } from "./frozen.ts";
import { comparePlaces, type ObjectKey } from "./object-key.ts";
import { RecentTexts } from "./recent-texts.ts";
import { newestRevisionSql, pragmasSql, schemaSql } from "./schema.ts";
import type { StoreChange, StoreEvent } from "./store-event.ts";
import { type Retention, WatchLog } from "./watch-log.ts";

export interface ObjectStoreOptions {
  /** Path of the file, or `:memory:`. */
  readonly file: string;
  readonly clock: Clock;
  readonly retention?: Retention;
  /** How many changes a subscriber may lag behind before it is ended. */
  readonly queueLimit?: number;
}

const defaultRetention: Retention = { entries: 20_000, ageMs: 60 * 60 * 1000 };

export class ObjectStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #collection = new Collection();
  readonly #log: WatchLog;
  readonly #channels = new Map<string, Channel<StoreEvent>>();
  readonly #queueLimit: number;
  readonly #texts = new RecentTexts();
  readonly #observers = new Set<(change: StoreChange) => void>();
  readonly #putRow: StatementSync;
  readonly #deleteRow: StatementSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  #revision: number;

  constructor(options: ObjectStoreOptions) {
    this.#clock = options.clock;
    this.#queueLimit = options.queueLimit ?? 10_000;
    const database = new DatabaseSync(options.file);
    this.#database = database;
    database.exec(pragmasSql);
    database.exec(schemaSql);
    const row = database.prepare(newestRevisionSql).get();
    this.#revision = Number(row?.["current"]);
    this.#log = new WatchLog(database, Number(row?.["compacted"]), options.retention ?? defaultRetention);
    this.#putRow = database.prepare(
      "INSERT INTO objects (resource, namespace, name, body) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (resource, namespace, name) DO UPDATE SET body = excluded.body",
    );
    this.#deleteRow = database.prepare("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?");
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#end = database.prepare("COMMIT");
    for (const { resource, namespace, name, body } of database.prepare("SELECT * FROM objects").iterate()) {
      const key = { resource: String(resource), namespace: String(namespace), name: String(name) };
      this.#collection.put(key, thaw(String(body)));
    }
  }

  /** Of the newest change. */
  get revision(): number {
    return this.#revision;
  }

  /** The newest revision whose change is no longer in the log. */
  get compacted(): number {
    return this.#log.compacted;
  }

  get(key: ObjectKey): AnyObject | undefined {
    return this.#collection.get(key);
  }

  /** By namespace and name, as of now. */
  list(resource: string, namespace?: string): readonly AnyObject[] {
    return this.#collection.list(resource, namespace);
  }

  /** The same list as of an earlier revision. Throws Expired when the log no longer reaches back that far. */
  listAt(revision: number, resource: string, namespace?: string): readonly AnyObject[] {
    if (revision === this.#revision) return this.list(resource, namespace);
    const places = new Map(this.list(resource).map((object) => [placeOf(objectPlace(object)), object]));
    this.#log.rewind(resource, revision, places, placeOf);
    return [...places.values()]
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
      .sort((a, b) => comparePlaces(objectPlace(a), objectPlace(b)));
  }

  /** The object as JSON, which is at hand for what was written or told lately. */
  textOf(object: AnyObject): string {
    return this.#texts.of(object);
  }

  /** Names of all resources that have or had objects since the start. */
  resources(): readonly string[] {
    return this.#collection.resources();
  }

  keyOfUid(uid: string): ObjectKey | undefined {
    return this.#collection.keyOfUid(uid);
  }

  dependents(ownerUid: string): readonly ObjectKey[] {
    return this.#collection.dependents(ownerUid);
  }

  /** Creates or replaces. Returns the stored object: frozen, with its new resourceVersion. */
  put(key: ObjectKey, object: AnyObject): AnyObject {
    const revision = this.#revision + 1;
    const previous = this.#collection.get(key);
    const stored = withRevision(object, revision);
    const body = JSON.stringify(stored);
    this.#commit(revision, key, body, () => this.#putRow.run(key.resource, key.namespace, key.name, body));
    this.#collection.put(key, stored);
    this.#texts.keep(stored, body);
    if (previous === undefined) this.#publish({ type: "ADDED", revision, key, object: stored });
    else this.#publish({ type: "MODIFIED", revision, key, object: stored, previous });
    return stored;
  }

  /** Returns the last state with the deletion's resourceVersion, or undefined when there was nothing. */
  remove(key: ObjectKey): AnyObject | undefined {
    const previous = this.#collection.get(key);
    if (previous === undefined) return undefined;
    const revision = this.#revision + 1;
    this.#commit(revision, key, null, () => this.#deleteRow.run(key.resource, key.namespace, key.name));
    this.#collection.remove(key);
    const object = withRevision(previous, revision);
    this.#publish({ type: "DELETED", revision, key, object, previous });
    return object;
  }

  /** The resource's changes after `revision` so far. Throws Expired when some are gone. */
  changesAfter(resource: string, revision: number): readonly StoreChange[] {
    return this.#log.changesAfter(resource, revision);
  }

  /**
   * The resource's changes from this call on. Together with `changesAfter` in the same synchronous step it misses and
   * repeats nothing. A reader that falls too far behind is ended with `ChannelOverflowError`.
   */
  subscribe(resource: string, signal: AbortSignal): AsyncIterableIterator<StoreEvent> & Disposable {
    let channel = this.#channels.get(resource);
    if (channel === undefined) this.#channels.set(resource, (channel = new Channel(this.#queueLimit)));
    return channel.subscribe(signal);
  }

  /** Calls `see` after each commit of any resource, before the write returns; it must neither throw nor write. */
  observe(see: (change: StoreChange) => void): Disposable {
    this.#observers.add(see);
    return { [Symbol.dispose]: () => this.#observers.delete(see) };
  }

  /** Tells every subscriber how far the store has come, in line with the changes. */
  bookmark(): void {
    for (const channel of this.#channels.values()) channel.send({ type: "BOOKMARK", revision: this.#revision });
  }

  [Symbol.dispose](): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#database.close();
  }

  #commit(revision: number, key: ObjectKey, body: string | null, write: () => void): void {
    const nowMs = this.#clock.now().epochMilliseconds;
    this.#begin.run();
    let compacted: number;
    try {
      // Before the write, since the log takes the state before it from the table.
      this.#log.append(revision, nowMs, key, body);
      write();
      compacted = this.#log.compact(revision, nowMs);
      this.#end.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
    this.#log.adopt(compacted);
    this.#revision = revision;
  }

  #publish(change: StoreChange): void {
    const frozen = freezeDeep(change);
    this.#channels.get(change.key.resource)?.send(frozen);
    for (const see of this.#observers) see(frozen);
  }
}

function objectPlace(object: AnyObject): { namespace: string; name: string } {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

function placeOf(key: Pick<ObjectKey, "namespace" | "name">): string {
  return `${key.namespace}/${key.name}`;
}
