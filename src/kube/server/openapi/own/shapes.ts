/** What schemas for reading are written with: each has a sentence first. Nothing validates by them, so all stay open. */
import { refPrefix } from "../../schema/upstream.ts";
import type { Schema } from "../../schema/schema.ts";

export function text(description: string): Schema {
  return { type: "string", description };
}

export function oneOf(description: string, values: readonly string[]): Schema {
  return { type: "string", enum: values, description };
}

export function whole(description: string): Schema {
  return { type: "integer", format: "int32", description };
}

export function number(description: string): Schema {
  return { type: "number", description };
}

export function flag(description: string): Schema {
  return { type: "boolean", description };
}

export function texts(description: string): Schema {
  return { type: "array", items: { type: "string" }, description };
}

export function list(description: string, items: Schema): Schema {
  return { type: "array", items, description };
}

/** Texts by name, such as labels. */
export function textsByName(description: string): Schema {
  return { type: "object", additionalProperties: { type: "string" }, description };
}

/** With the type that we read it as, the compiler holds the two to the same fields. */
type Fields<T> = Readonly<Record<keyof T & string, Schema>>;
type Anything = Readonly<Record<string, unknown>>;

export function object<T = Anything>(
  description: string,
  properties: Fields<T>,
  required: readonly (keyof T & string)[] = [],
): Schema {
  return { description, ...item<T>(properties, required) };
}

/** In a list, whose sentence is about its items too. */
export function item<T = Anything>(properties: Fields<T>, required: readonly (keyof T & string)[] = []): Schema {
  return {
    type: "object",
    properties,
    ...(required.length === 0 ? {} : { required }),
    "x-kubernetes-preserve-unknown-fields": true,
  };
}

/** Of any content. */
export function open(description: string): Schema {
  return { type: "object", description, "x-kubernetes-preserve-unknown-fields": true };
}

/** `type`: the whole name of a type of upstream. */
export function upstreamType(type: string, description: string): Schema {
  return { $ref: refPrefix + type, description };
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

export function time(description: string): Schema {
  return upstreamType(`${meta}.Time`, description);
}

export function numberOrText(description: string): Schema {
  return upstreamType("io.k8s.apimachinery.pkg.util.intstr.IntOrString", description);
}

export function labelSelector(description: string): Schema {
  return upstreamType(`${meta}.LabelSelector`, description);
}

export function conditions(description: string): Schema {
  return list(description, { $ref: `${refPrefix}${meta}.Condition` });
}
