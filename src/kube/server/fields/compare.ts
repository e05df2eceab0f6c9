/** Which fields a write changed. Pure. */
import type { AnyObject } from "#api";
import { deepEqual, isObject } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import { type FieldSet, leaf } from "./field-set.ts";
import { isGranularObject, itemShape, itemsOf } from "./items.ts";
import { fieldShape, type Shape, shapeOfKind } from "./shape.ts";
import { fieldStep } from "./steps.ts";
import { zeroValue } from "../schema/typed-form.ts";
import { everythingIn, insideOf } from "./value-sets.ts";

export interface Difference {
  /** Fields that appeared or have another value. */
  readonly changed: FieldSet | undefined;
  /** Fields that are gone. */
  readonly removed: FieldSet | undefined;
}

export function isNone({ changed, removed }: Difference): boolean {
  return changed === undefined && removed === undefined;
}

interface Draft {
  changed: Record<string, FieldSet> | undefined;
  removed: Record<string, FieldSet> | undefined;
}

/** Fields of metadata somebody can own; the others are the server's, or name the object. */
const ownableMetadata = ["labels", "annotations", "finalizers", "ownerReferences", "generateName"] as const;

export function compareObjects(kind: ServedKind, before: AnyObject | undefined, after: AnyObject): Difference {
  const shape = shapeOfKind(kind);
  const draft: Draft = { changed: undefined, removed: undefined };
  compareMetadata(before?.metadata ?? {}, after.metadata, fieldShape(shape, "metadata"), draft);
  // A new object of a kind read into Go types is compared with an empty one, whose structures are there already.
  const nothing = kind.message === undefined ? {} : zeroValue(kind.message);
  compareNames(before ?? nothing, after, shape, { draft, skip: typeMeta });
  return draft;
}

const typeMeta: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
const skipNone: ReadonlySet<string> = new Set();

function compareMetadata(before: object, after: object, shape: Shape, into: Draft): void {
  const draft: Draft = { changed: undefined, removed: undefined };
  const a = before as Record<string, unknown>;
  const b = after as Record<string, unknown>;
  for (const name of ownableMetadata) compareAt(fieldStep(name), a[name], b[name], fieldShape(shape, name), draft);
  put(into, fieldStep("metadata"), draft);
}

function compareNames(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  shape: Shape,
  { draft, skip }: { draft: Draft; skip: ReadonlySet<string> },
): void {
  for (const name in after) {
    if (before[name] === after[name] || skip.has(name)) continue;
    compareAt(fieldStep(name), before[name], after[name], fieldShape(shape, name), draft);
  }
  for (const name in before) {
    if (after[name] !== undefined || skip.has(name)) continue;
    compareAt(fieldStep(name), before[name], undefined, fieldShape(shape, name), draft);
  }
}

function compareAt(step: string, before: unknown, after: unknown, shape: Shape, into: Draft): void {
  if (before === after || (before === null && after === undefined)) return;
  if (before === undefined) change(into, step, everythingIn(after, shape));
  else if (before === null && after !== undefined) change(into, step, insideOf(after, shape) ?? leaf);
  else if (after === undefined) remove(into, step, everythingIn(before, shape));
  else {
    const inner: Draft = { changed: undefined, removed: undefined };
    if (compareInside(before, after, shape, inner)) put(into, step, inner);
    else if (!deepEqual(before, after)) {
      // One of the two may still be told apart inside: what was in it is gone.
      change(into, step, everythingIn(after, shape));
      const gone = insideOf(before, shape);
      if (gone !== undefined) remove(into, step, gone);
    }
  }
}

/** False when the two cannot be compared part by part. */
function compareInside(before: unknown, after: unknown, shape: Shape, draft: Draft): boolean {
  if (isGranularObject(before, shape) && isObject(after)) {
    compareNames(before, after, shape, { draft, skip: skipNone });
    return true;
  }
  if (!Array.isArray(before) || !Array.isArray(after)) return false;
  const old = itemsOf(before, shape);
  const now = itemsOf(after, shape);
  if (old === undefined || now === undefined) return false;
  const inner = itemShape(shape);
  for (const [step, item] of now) compareAt(step, old.get(step), item, inner, draft);
  for (const [step, item] of old) if (!now.has(step)) compareAt(step, item, undefined, inner, draft);
  return true;
}

function put(into: Draft, step: string, { changed, removed }: Draft): void {
  if (changed !== undefined) change(into, step, changed);
  if (removed !== undefined) remove(into, step, removed);
}

function change(into: Draft, step: string, set: FieldSet): void {
  into.changed ??= {};
  into.changed[step] = set;
}

function remove(into: Draft, step: string, set: FieldSet): void {
  into.removed ??= {};
  into.removed[step] = set;
}
