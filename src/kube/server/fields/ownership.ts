/** Who owns which fields after a write that is no apply. Pure. */
import { type AnyObject, apiVersionOf } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { compareObjects, type Difference, isNone } from "./compare.ts";
import { difference, type FieldSet, isEmptySet, onlyBelow, union, withoutBelow } from "./field-set.ts";
import { entryOf, isSameOwner, type ManagedEntry, type Owner, sortEntries } from "./managed-entry.ts";

export interface Writer {
  readonly manager: string;
  readonly subresource?: string | undefined;
  readonly time: string;
}

/** More entries than this many of updaters are folded into one, so that an object's entries stay few. */
const maxUpdaters = 10;
const foldedManager = "ancient-changes";
/** Owns what was there before anybody kept track. */
const earlierManager = "before-first-apply";

export function ownerOf(kind: ServedKind, writer: Writer, operation: "Apply" | "Update"): Owner {
  const { manager, subresource } = writer;
  const apiVersion = apiVersionOf(kind.type);
  return { manager, operation, apiVersion, ...(subresource === undefined ? {} : { subresource }) };
}

/** The entries after a write that made this change; `entries` themselves when it changed no field. */
export function entriesAfterUpdate(
  kind: ServedKind,
  before: AnyObject | undefined,
  change: Difference,
  { entries, writer }: { entries: readonly ManagedEntry[]; writer: Writer },
): readonly ManagedEntry[] {
  if (isNone(change)) return entries;
  const owner = ownerOf(kind, writer, "Update");
  const known = before === undefined ? entries : knownEntries(kind, before, entries, writer.time);
  const taken = ownable(kind, change.changed, writer.subresource);
  const mine = known.find((entry) => isSameOwner(entry, owner));
  const fields = union(difference(mine?.fieldsV1, change.removed), taken);
  const others = releaseChanged(
    known.filter((entry) => entry !== mine),
    change,
  );
  const all = isEmptySet(fields) || fields === undefined ? others : [...others, entryOf(owner, fields, writer.time)];
  return sortEntries(foldOldest(all));
}

/** What the others still own once these fields have been written. */
export function releaseChanged(entries: readonly ManagedEntry[], { changed, removed }: Difference): ManagedEntry[] {
  return entries.flatMap((entry) => {
    const left = difference(difference(entry.fieldsV1, changed), removed);
    if (left === undefined) return [];
    return left === entry.fieldsV1 ? [entry] : [{ ...entry, fieldsV1: left }];
  });
}

/** Where nothing was kept track of so far, all that is there has one owner. */
export function knownEntries(
  kind: ServedKind,
  live: AnyObject,
  entries: readonly ManagedEntry[],
  time: string,
): readonly ManagedEntry[] {
  if (entries.length > 0) return entries;
  const { changed } = compareObjects(kind, undefined, live);
  if (changed === undefined) return [];
  return [entryOf(ownerOf(kind, { manager: earlierManager, time }, "Update"), changed, time)];
}

/** The part of a set that can be owned through this endpoint: status and the rest are written apart where they are split. */
export function ownable(
  kind: ServedKind,
  set: FieldSet | undefined,
  subresource: string | undefined,
): FieldSet | undefined {
  if (subresource === "status") return onlyBelow(set, "f:status");
  return kind.status ? withoutBelow(set, "f:status") : set;
}

function foldOldest(entries: readonly ManagedEntry[]): readonly ManagedEntry[] {
  const updaters = entries.filter(({ operation }) => operation === "Update");
  if (updaters.length <= maxUpdaters) return entries;
  const fixed = entries.filter(({ operation }) => operation !== "Update");
  const oldestFirst = sortEntries(updaters);
  const old = oldestFirst.slice(0, updaters.length - maxUpdaters + 1);
  // Folding two of different versions into one would say of a field that another version wrote it; none of our
  // versions differ in their fields (conversion None), so nothing is lost.
  const newest = old.at(-1);
  const fields = old.reduce<FieldSet | undefined>((all, { fieldsV1 }) => union(all, fieldsV1), undefined);
  if (newest === undefined || fields === undefined) return entries;
  const owner: Owner = { manager: foldedManager, operation: "Update", apiVersion: newest.apiVersion };
  return [...fixed, entryOf(owner, fields, newest.time), ...oldestFirst.slice(old.length)];
}
