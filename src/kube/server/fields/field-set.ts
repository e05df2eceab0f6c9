/**
 * Sets of field paths in the very form `fieldsV1` has on the wire, so that reading and storing them costs nothing.
 *
 * A node maps steps to nodes: `f:<name>` is a field, `k:{<keys>}` an item of a list by its keys, `v:<value>` an item of
 * a set. A node is itself in the set when it has the step "." or no step at all (a leaf). A root is never itself in
 * the set, so the empty set cannot be a node: it is undefined.
 *
 * {"f:spec":{"f:replicas":{},"f:strategy":{".":{},"f:type":{}}}} holds spec.replicas, spec.strategy, spec.strategy.type.
 *
 * Nothing here changes a set; results share what they can with what they come from. Pure.
 */
import { isObject } from "#lib";

export interface FieldSet {
  readonly [step: string]: FieldSet;
}

type Draft = Record<string, FieldSet>;

/** Shared by all sets: most nodes are leaves. */
export const leaf: FieldSet = Object.freeze({});

export const self = ".";

export function isLeaf(node: FieldSet): boolean {
  // Cheaper than Object.keys, and this is asked of every node.
  for (const _step in node) return false;
  return true;
}

/** Whether the node itself, not only something below it, is in the set. */
export function holdsItself(node: FieldSet): boolean {
  return node[self] !== undefined || isLeaf(node);
}

export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return unite(a, b);
}

function unite(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isLeaf(b)) return holdsItself(a) ? a : { [self]: leaf, ...a };
  if (isLeaf(a)) return holdsItself(b) ? b : { [self]: leaf, ...b };
  let result: Draft | undefined;
  for (const step in b) {
    const mine = a[step];
    const other = b[step] ?? leaf;
    const both = mine === undefined ? other : unite(mine, other);
    if (both === mine) continue;
    result ??= { ...a };
    result[step] = both;
  }
  return result ?? a;
}

/** What is in `a` and not in `b`; `a` itself when that is all of it. Costs as much as `b` is large. */
export function difference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  return a === undefined || b === undefined ? a : subtract(a, b);
}

function subtract(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (isLeaf(a)) return holdsItself(b) ? undefined : a;
  let result: Draft | undefined;
  if (isLeaf(b)) {
    if (a[self] === undefined) return a;
    result = { ...a };
    delete result[self];
    return normal(result);
  }
  for (const step in b) {
    const mine = a[step];
    if (mine === undefined) continue;
    const left = step === self ? undefined : subtract(mine, b[step] ?? leaf);
    if (left === mine) continue;
    result ??= { ...a };
    if (left === undefined) delete result[step];
    else result[step] = left;
  }
  return result === undefined ? a : normal(result);
}

/** A node with no step left held only what is gone; one that holds but itself is a leaf. */
function normal(node: Draft): FieldSet | undefined {
  let only: string | undefined;
  for (const step in node) {
    if (only !== undefined) return node;
    only = step;
  }
  if (only === undefined) return undefined;
  return only === self ? leaf : node;
}

export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  return a === undefined || b === undefined ? undefined : intersect(a, b);
}

function intersect(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const result: Draft = {};
  if (holdsItself(a) && holdsItself(b)) result[self] = leaf;
  for (const step in a) {
    const mine = a[step];
    const other = b[step];
    if (step === self || mine === undefined || other === undefined) continue;
    const both = intersect(mine, other);
    if (both !== undefined) result[step] = both;
  }
  return normal(result);
}

/** Whether `other`, which a client may have sent, is this very set; both in normal form. */
export function isSameSet(set: FieldSet, other: unknown): boolean {
  if (set === other) return true;
  if (!isObject(other)) return false;
  let steps = 0;
  for (const step in set) {
    if (!isSameSet(set[step] ?? leaf, other[step])) return false;
    steps += 1;
  }
  for (const _step in other) steps -= 1;
  return steps === 0;
}

export function isEmptySet(set: FieldSet | undefined): boolean {
  return set === undefined || isLeaf(set);
}

/** The part of a root below one of its steps. */
export function onlyBelow(set: FieldSet | undefined, step: string): FieldSet | undefined {
  const inner = set?.[step];
  return inner === undefined ? undefined : { [step]: inner };
}

/** A root without one of its steps and all below it. */
export function withoutBelow(set: FieldSet | undefined, step: string): FieldSet | undefined {
  if (set?.[step] === undefined) return set;
  const { [step]: _dropped, ...rest } = set;
  return isLeaf(rest) ? undefined : rest;
}

/** Every path in the set, as its steps, in upstream's order: at each level what is in the set by itself comes first. */
export function pathsOf(set: FieldSet | undefined): string[][] {
  const paths: string[][] = [];
  function visit(node: FieldSet, path: readonly string[]): void {
    const inside = Object.entries(node)
      .filter(([step]) => step !== self)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [step, inner] of inside) if (holdsItself(inner)) paths.push([...path, step]);
    for (const [step, inner] of inside) visit(inner, [...path, step]);
  }
  if (set !== undefined) visit(set, []);
  return paths;
}
