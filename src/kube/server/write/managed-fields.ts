/** Brings `metadata.managedFields` through the writes that are no apply. */
import type { AnyObject } from "#api";
import { isObject } from "#lib";
import { compareObjects, type Difference } from "../fields/compare.ts";
import { type ManagedEntry, readEntries, sortEntries, storedEntries } from "../fields/managed-entry.ts";
import { entriesAfterUpdate, releaseChanged, type Writer } from "../fields/ownership.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { WriteRequest } from "./write-request.ts";

export function setEntries(object: AnyObject, entries: readonly ManagedEntry[]): void {
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = [...entries];
}

/** Entries a client sends along (a restored backup) keep their owners; the creator owns what they leave. */
export function recordCreate(kind: ServedKind, object: AnyObject, writer: Writer): void {
  const sent = readEntries(object.metadata.managedFields ?? []) ?? [];
  setEntries(
    object,
    entriesAfterUpdate(kind, undefined, compareObjects(kind, undefined, object), { entries: sent, writer }),
  );
}

/**
 * The entries the client wants instead of the stored ones; undefined when it leaves them as they are, which it also
 * does by sending none (it may not know of them) or by sending what are no entries. One empty entry forgets them all.
 */
export function entriesOfUpdate(
  old: AnyObject,
  sent: AnyObject,
  request: WriteRequest,
): readonly ManagedEntry[] | undefined {
  const wanted = sent.metadata.managedFields;
  const { managedFields } = old.metadata;
  // Equal ones have become the very same when the body was read. The managers of an object are edited through the object, not through one of its subresources.
  if (request.subresource !== undefined || wanted === undefined || wanted === managedFields) return undefined;
  const [only] = wanted;
  if (wanted.length === 1 && isObject(only) && Object.keys(only).length === 0) return [];
  const entries = readEntries(wanted);
  return entries === undefined || entries.length === 0 ? undefined : sortEntries(entries);
}

export function recordUpdate(
  kind: ServedKind,
  object: AnyObject,
  write: {
    readonly old: AnyObject;
    readonly change: Difference;
    readonly edited: readonly ManagedEntry[] | undefined;
    readonly writer: Writer;
  },
): void {
  const { old, change, edited, writer } = write;
  const entries = edited ?? storedEntries(old.metadata.managedFields);
  const next = entriesAfterUpdate(kind, old, change, { entries, writer });
  if (next !== entries || edited !== undefined) setEntries(object, next);
}

/** What the system took away by itself belongs to nobody any more. */
export function recordRewrite(kind: ServedKind, old: AnyObject, object: AnyObject): void {
  const { removed } = compareObjects(kind, old, object);
  if (removed === undefined) return;
  setEntries(object, releaseChanged(storedEntries(old.metadata.managedFields), { changed: undefined, removed }));
}
