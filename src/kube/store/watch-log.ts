/**
 * The changes since `compacted`, on disk, each with the state before it. From it come the events a watcher missed and,
 * by taking changes back, the state at an earlier revision (so that a list read in pages is one snapshot).
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AnyObject } from "#api";
import { KubeError } from "../client/kube-error.ts";
import { thaw, withRevision } from "./frozen.ts";
import type { ObjectKey } from "./object-key.ts";
import type { StoreChange } from "./store-event.ts";

export interface Retention {
  /** How many changes the log keeps at least; up to an eighth more before it is cut. */
  readonly entries: number;
  /** Changes older than this go, even when there are fewer. */
  readonly ageMs: number;
}

interface LogRow {
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
  /** Null when the change was a deletion. */
  readonly body: string | null;
  /** Null when the change was a creation. */
  readonly previous: string | null;
}

export class WatchLog {
  #compacted: number;
  readonly #retention: Retention;
  readonly #append: StatementSync;
  readonly #after: StatementSync;
  readonly #cut: StatementSync;
  readonly #oldest: StatementSync;
  readonly #saveCompacted: StatementSync;

  constructor(database: DatabaseSync, compacted: number, retention: Retention) {
    this.#compacted = compacted;
    this.#retention = retention;
    this.#append = database.prepare(
      "INSERT INTO watch_log (revision, at_ms, resource, namespace, name, body, previous) VALUES (?1, ?2, ?3, ?4, ?5, ?6, " +
        "(SELECT body FROM objects WHERE resource = ?3 AND namespace = ?4 AND name = ?5))",
    );
    this.#after = database.prepare(
      "SELECT revision, namespace, name, body, previous FROM watch_log WHERE resource = ? AND revision > ? ORDER BY revision",
    );
    this.#cut = database.prepare("DELETE FROM watch_log WHERE revision <= ?");
    this.#oldest = database.prepare(
      "SELECT max(revision) AS revision FROM watch_log WHERE revision <= ? AND at_ms < ?",
    );
    this.#saveCompacted = database.prepare("UPDATE revision SET compacted = ?, current = ?");
  }

  /** Changes up to and including this revision are gone. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Within the caller's transaction, before it changes the object. `body` is null for a deletion. */
  append(revision: number, atMs: number, key: ObjectKey, body: string | null): void {
    this.#append.run(revision, atMs, key.resource, key.namespace, key.name, body);
  }

  /**
   * Cuts the log within the caller's transaction when enough has gathered. Returns what `adopt` must be told after the
   * commit.
   */
  compact(revision: number, nowMs: number): number {
    const step = Math.max(1, Math.floor(this.#retention.entries / 8));
    if (revision % step !== 0) return this.#compacted;
    const byCount = revision - this.#retention.entries;
    const row = this.#oldest.get(revision - 1, nowMs - this.#retention.ageMs);
    const byAge = Number(row?.["revision"] ?? 0);
    const cut = Math.max(byCount, byAge);
    if (cut <= this.#compacted) return this.#compacted;
    this.#cut.run(cut);
    this.#saveCompacted.run(cut, revision);
    return cut;
  }

  adopt(compacted: number): void {
    this.#compacted = compacted;
  }

  /** The changes of a resource after `revision`, oldest first. Throws Expired when some of them are gone. */
  changesAfter(resource: string, revision: number): StoreChange[] {
    return this.#rowsAfter(resource, revision).map((row) => changeOf(resource, row));
  }

  /** Takes back, in `current`, every change of the resource after `revision`. Throws Expired like `changesAfter`. */
  rewind(resource: string, revision: number, current: Map<string, AnyObject>, keyOf: (row: ObjectKey) => string): void {
    for (const row of this.#rowsAfter(resource, revision).reverse()) {
      const place = keyOf({ resource, namespace: row.namespace, name: row.name });
      if (row.previous === null) current.delete(place);
      else current.set(place, thaw(row.previous));
    }
  }

  #rowsAfter(resource: string, revision: number): LogRow[] {
    if (revision < this.#compacted) {
      throw new KubeError(
        "Expired",
        `The resourceVersion ${revision} is too old: the oldest one kept is ${this.#compacted}; list again`,
      );
    }
    return this.#after.all(resource, revision) as unknown as LogRow[];
  }
}

function changeOf(resource: string, row: LogRow): StoreChange {
  const { revision } = row;
  const key = { resource, namespace: row.namespace, name: row.name };
  if (row.previous === null) return { type: "ADDED", revision, key, object: thaw(row.body ?? "") };
  const previous = thaw(row.previous);
  if (row.body === null) return { type: "DELETED", revision, key, object: withRevision(previous, revision), previous };
  return { type: "MODIFIED", revision, key, object: thaw(row.body), previous };
}
