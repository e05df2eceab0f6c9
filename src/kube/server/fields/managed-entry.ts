/** The entries of `metadata.managedFields`, in the form they are stored and sent in. Pure. */
import { isObject } from "#lib";
import { type FieldSet, isLeaf, isSameSet, self } from "./field-set.ts";
import { canonicalStep } from "./steps.ts";

export interface ManagedEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  /** Never empty: an owner of nothing has no entry. */
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

export type Owner = Omit<ManagedEntry, "fieldsType" | "fieldsV1" | "time">;

/** Appliers go by their name whatever version they apply; for others the version counts. */
export function isSameOwner(a: Owner, b: Owner): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

export function entryOf(owner: Owner, fieldsV1: FieldSet, time: string | undefined): ManagedEntry {
  const { manager, operation, apiVersion, subresource } = owner;
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** Whether a client that read the stored entries sent them back as they were. */
export function areEntriesUnchanged(stored: readonly unknown[], sent: unknown): boolean {
  if (sent === stored) return true;
  return (
    Array.isArray(sent) &&
    sent.length === stored.length &&
    stored.every((entry, index) => isSameEntry(entry as ManagedEntry, sent[index]))
  );
}

function isSameEntry(stored: ManagedEntry, sent: unknown): boolean {
  if (!isObject(sent)) return false;
  const names = Object.keys(stored) as (keyof ManagedEntry)[];
  if (Object.keys(sent).length !== names.length) return false;
  return names.every((name) => {
    const value = sent[name];
    return name === "fieldsV1" ? isSameSet(stored.fieldsV1, value) : value === stored[name];
  });
}

/** Of an object this server stored. Entries without fields, as older versions wrote them, say nothing. */
export function storedEntries(managedFields: readonly unknown[] | undefined): ManagedEntry[] {
  return ((managedFields ?? []) as ManagedEntry[]).filter(({ fieldsV1 }) => !isLeaf(fieldsV1));
}

/** Of an object a client sent, brought into canonical form; undefined when any of them is not an entry. */
export function readEntries(managedFields: readonly unknown[]): ManagedEntry[] | undefined {
  const entries = managedFields.map(readEntry);
  return entries.every((entry) => entry !== undefined)
    ? entries.filter(({ fieldsV1 }) => !isLeaf(fieldsV1))
    : undefined;
}

function readEntry(value: unknown): ManagedEntry | undefined {
  if (!isObject(value)) return undefined;
  const { manager = "", operation, apiVersion, time, fieldsType, fieldsV1 = {}, subresource = "" } = value;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof manager !== "string" || typeof apiVersion !== "string" || typeof subresource !== "string")
    return undefined;
  if (time !== undefined && typeof time !== "string") return undefined;
  const fields = fieldsType === "FieldsV1" ? readSet(fieldsV1) : undefined;
  if (fields === undefined) return undefined;
  const owner = { manager, operation, apiVersion, ...(subresource === "" ? {} : { subresource }) } as const;
  return entryOf(owner, fields, time);
}

function readSet(value: unknown): FieldSet | undefined {
  if (!isObject(value)) return undefined;
  const result: Record<string, FieldSet> = {};
  for (const [key, inner] of Object.entries(value)) {
    const step = canonicalStep(key);
    const node = readSet(inner);
    if (step === undefined || node === undefined || (step === self && !isLeaf(node))) return undefined;
    result[step] = node;
  }
  return result;
}

/** Upstream's order: appliers first, then by time, then by name. */
export function sortEntries(entries: readonly ManagedEntry[]): ManagedEntry[] {
  if (entries.length < 2) return [...entries];
  return [...entries].sort(
    (a, b) =>
      order(a.operation, b.operation) ||
      order(a.time ?? "", b.time ?? "") ||
      order(a.manager, b.manager) ||
      order(a.apiVersion, b.apiVersion) ||
      order(a.subresource ?? "", b.subresource ?? ""),
  );
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
