import { isObject } from "#lib";
import { type KeyedShape, leafShape, type Shape } from "./shape.ts";
import { keyStep, valueStep } from "./steps.ts";

/**
 * The items of a list by the step that names each, in order. Several items of one name stand as an array: nobody can
 * own part of them, so they have one owner together.
 */
export type Items = ReadonlyMap<string, unknown>;

/** Undefined when the list has one owner as a whole: because its shape says so, or because an item lacks a key. */
export function itemsOf(list: readonly unknown[], shape: Shape): Items | undefined {
  if (shape.kind !== "keyed" && shape.kind !== "set") return undefined;
  const items = new Map<string, unknown>();
  for (const item of list) {
    const step = shape.kind === "keyed" ? stepOfItem(item, shape) : valueStep(item);
    if (step === undefined) return undefined;
    const before = items.get(step);
    items.set(step, before === undefined ? item : [...listed(before), item]);
  }
  return items;
}

/** What stands at one name: items of such lists are never lists themselves. */
export function listed(item: unknown): readonly unknown[] {
  return Array.isArray(item) ? item : [item];
}

/** Undefined for an item without one of its keys. */
export function stepOfItem(item: unknown, shape: KeyedShape): string | undefined {
  if (!isObject(item)) return undefined;
  const values: unknown[] = [];
  for (const key of shape.keys) {
    const value = item[key.name] ?? key.default;
    if (value === undefined || value === null) return undefined;
    values.push(value);
  }
  return keyStep(shape.names, values);
}

/** The shape of the items of such a list. */
export function itemShape(shape: Shape): Shape {
  return shape.kind === "keyed" ? shape.item() : leafShape;
}

export function isGranularObject(value: unknown, shape: Shape): value is Record<string, unknown> {
  return (shape.kind === "fields" || shape.kind === "open") && isObject(value);
}
