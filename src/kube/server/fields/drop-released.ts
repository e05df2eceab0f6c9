/** Takes out what an applier asked for last time, asks for no more, and nobody else owns. Pure. */
import { isObject } from "#lib";
import { type FieldSet, holdsItself, isLeaf } from "./field-set.ts";
import { isGranularObject, itemShape, itemsOf, listed } from "./items.ts";
import { fieldShape, type Shape } from "./shape.ts";
import { fieldStep } from "./steps.ts";

/**
 * `last`: what the applier owned before. `owned`: what anybody owns now, the applier included. A field goes with all
 * that is in it, unless somebody owns something in it; an item of a list goes unless somebody owns the item.
 */
export function dropReleased(value: unknown, last: FieldSet, owned: FieldSet | undefined, shape: Shape): unknown {
  if (isGranularObject(value, shape)) return dropFields(value, last, owned, shape);
  return Array.isArray(value) ? dropItems(value, last, owned, shape) : value;
}

function dropFields(
  value: Readonly<Record<string, unknown>>,
  last: FieldSet,
  owned: FieldSet | undefined,
  shape: Shape,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...value };
  for (const name of Object.keys(value)) {
    const step = fieldStep(name);
    const before = last[step];
    if (before === undefined) continue;
    const now = owned?.[step];
    const kept = now === undefined ? undefined : dropReleased(value[name], before, now, fieldShape(shape, name));
    // An object that loses its last field goes too, even if somebody owns it.
    const emptied = now !== undefined && isEmpty(kept) && !isEmpty(value[name]);
    if (kept === undefined || emptied) delete result[name];
    else result[name] = kept;
  }
  return result;
}

function dropItems(list: readonly unknown[], last: FieldSet, owned: FieldSet | undefined, shape: Shape): unknown {
  const items = itemsOf(list, shape);
  if (items === undefined) return list;
  const inner = itemShape(shape);
  const result: unknown[] = [];
  for (const [step, item] of items) {
    const before = last[step];
    const now = owned?.[step];
    if (before === undefined) result.push(...listed(item));
    else if (now !== undefined && holdsItself(now)) result.push(...listed(dropReleased(item, before, now, inner)));
    else if (!holdsItself(before)) result.push(...listed(dropReleased(item, before, now, inner)));
  }
  return result;
}

function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) && value.length === 0) || (isObject(value) && isLeaf(value as FieldSet));
}
