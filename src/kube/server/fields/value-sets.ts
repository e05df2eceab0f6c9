/** The field sets of values: of what a write put there, and of what an applier asks for. Pure. */
import { type FieldSet, isLeaf, leaf, self } from "./field-set.ts";
import { isGranularObject, itemShape, itemsOf } from "./items.ts";
import { fieldShape, type Shape } from "./shape.ts";
import { fieldStep } from "./steps.ts";

/** Everything in a value that appeared with a write: it, and all it contains. */
export function everythingIn(value: unknown, shape: Shape): FieldSet {
  const inside = insideOf(value, shape);
  return inside === undefined ? leaf : { [self]: leaf, ...inside };
}

/** What it contains without itself; undefined when there is nothing or it is not told apart. */
export function insideOf(value: unknown, shape: Shape): FieldSet | undefined {
  const inside: Record<string, FieldSet> = {};
  if (isGranularObject(value, shape)) {
    for (const name in value) inside[fieldStep(name)] = everythingIn(value[name], fieldShape(shape, name));
  } else if (Array.isArray(value)) {
    const inner = itemShape(shape);
    for (const [step, item] of itemsOf(value, shape) ?? []) inside[step] = everythingIn(item, inner);
  }
  return isLeaf(inside) ? undefined : inside;
}

/**
 * What an applier owns by asking for this value. Unlike with writes, an object that is a declared field is not owned
 * for itself as long as it contains something; entries of free maps and items of lists are.
 */
export function askedFor(value: unknown, shape: Shape, declared: boolean): FieldSet | undefined {
  const inside: Record<string, FieldSet> = {};
  if (isGranularObject(value, shape)) {
    if (isLeaf(value as FieldSet)) return leaf;
    for (const name in value) {
      const isNamed = shape.kind === "fields" && shape.named(name);
      add(inside, fieldStep(name), askedFor(value[name], fieldShape(shape, name), isNamed));
    }
  } else {
    const items = Array.isArray(value) ? itemsOf(value, shape) : undefined;
    if (items === undefined) return leaf;
    const inner = itemShape(shape);
    for (const [step, item] of items) add(inside, step, askedFor(item, inner, false));
  }
  if (isLeaf(inside)) return declared ? undefined : leaf;
  return declared ? inside : { [self]: leaf, ...inside };
}

function add(inside: Record<string, FieldSet>, step: string, set: FieldSet | undefined): void {
  if (set !== undefined) inside[step] = set;
}
