/**
 * How far the fields of a kind are told apart: which maps and lists can have several owners, and what names the items
 * of a list. Made from schemas, lazily since schemas may contain themselves. Pure.
 */
import type { ServedKind } from "../registry/served-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { fieldSchema, objectMetaName, refPrefix, resolveSchema, upstreamSchemas } from "../schema/upstream.ts";

/**
 * leaf: one owner for all of it (scalars, atomic lists and maps). open: nothing is known; objects are told apart by
 * field, lists are leaves. fields: an object. keyed: a list whose items are named by some of their fields. set: a list
 * of distinct scalars.
 */
export type Shape =
  | { readonly kind: "leaf" }
  | { readonly kind: "open" }
  | { readonly kind: "set" }
  | { readonly kind: "fields"; readonly field: (name: string) => Shape; readonly named: (name: string) => boolean }
  | KeyedShape;

export interface KeyedShape {
  readonly kind: "keyed";
  /** Sorted by name. */
  readonly keys: readonly ListKey[];
  readonly names: readonly string[];
  item: () => Shape;
}

interface ListKey {
  readonly name: string;
  /** What the key counts as where an item leaves it out. */
  readonly default: unknown;
}

export const leafShape: Shape = { kind: "leaf" };
const openShape: Shape = { kind: "open" };
const setShape: Shape = { kind: "set" };

const shapes = new WeakMap<Schema, Shape>();
const kindShapes = new WeakMap<ServedKind, Shape>();

/** Of whole objects. Metadata has upstream's shape whatever a CRD says of it. */
export function shapeOfKind(kind: ServedKind): Shape {
  let shape = kindShapes.get(kind);
  if (shape === undefined) kindShapes.set(kind, (shape = objectShape(kind.schema)));
  return shape;
}

function objectShape(schema: Schema | undefined): Shape {
  const metadata = shapeOf(upstreamSchemas[objectMetaName]);
  const known = shapeOf(schema);
  return {
    kind: "fields",
    field: (name) => (name === "metadata" ? metadata : fieldShape(known, name)),
    // The first level of an object (spec, status) is as good as declared where nobody declared it.
    named: () => true,
  };
}

/** Of one field of a value of this shape. */
export function fieldShape(shape: Shape, name: string): Shape {
  return shape.kind === "fields" ? shape.field(name) : openShape;
}

function shapeOf(schema: Schema | undefined): Shape {
  if (schema === undefined) return openShape;
  let shape = shapes.get(schema);
  if (shape === undefined) shapes.set(schema, (shape = makeShape(schema)));
  return shape;
}

/** Whatever a client put there is one value to upstream. */
const rawExtension = `${refPrefix}io.k8s.apimachinery.pkg.runtime.RawExtension`;

function makeShape(reference: Schema): Shape {
  if (reference.$ref === rawExtension) return leafShape;
  const schema = resolveSchema(reference);
  if (schema === undefined) return openShape;
  if (schema["x-kubernetes-map-type"] === "atomic" || schema["x-kubernetes-int-or-string"] === true) return leafShape;
  if (schema.type === "array" || schema.items !== undefined) return listShape(schema);
  if (schema.properties !== undefined || typeof schema.additionalProperties === "object") return fieldsShape(schema);
  return schema.type === undefined || schema.type === "object" ? openShape : leafShape;
}

function listShape(schema: Schema): Shape {
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      return setShape;
    case "map": {
      const item = resolveSchema(schema.items);
      const names = [...(schema["x-kubernetes-list-map-keys"] ?? [])].sort();
      const keys = names.map((name) => ({ name, default: fieldSchema(item, name)?.default }));
      return names.length === 0 ? leafShape : { kind: "keyed", keys, names, item: () => shapeOf(schema.items) };
    }
    default:
      return leafShape;
  }
}

function fieldsShape(schema: Schema): Shape {
  const { properties = {}, additionalProperties } = schema;
  const other = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const named = (name: string): boolean => Object.hasOwn(properties, name);
  return { kind: "fields", named, field: (name) => shapeOf(named(name) ? properties[name] : other) };
}
