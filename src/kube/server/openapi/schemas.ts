/** Schemas in the form OpenAPI v3 wants. Pure. */
import { isObject } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { objectMetaName, refPrefix, upstreamSchemaName, upstreamSchemas } from "../schema/upstream.ts";
import { apiVersionOf } from "#api";
import { described, objectFields } from "./descriptions/described.ts";
import { ownShapes } from "./own/own-shapes.ts";

type Node = Record<string, unknown>;

/** Types whose v3 form says more than the v2 form the data is in. */
const replaced: Readonly<Record<string, Schema>> = {
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
    format: "int-or-string",
    oneOf: [{ type: "integer" }, { type: "string" }],
  },
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { oneOf: [{ type: "string" }, { type: "number" }] },
};

/** The name a kind's schema goes by: upstream's, or `io.argoproj.v1alpha1.Rollout`. */
export function schemaName(kind: ServedKind): string {
  const { group, version, kind: name } = kind.type;
  const upstream = upstreamSchemaName(apiVersionOf(kind.type), name);
  if (upstream !== undefined) return upstream;
  return [...group.split(".").reverse(), version, name].join(".");
}

/** The schemas of the kinds and everything they refer to. */
export function componentSchemas(kinds: readonly ServedKind[]): Node {
  const schemas: Node = {};
  const wanted: string[] = [objectMetaName, "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"];
  for (const kind of kinds) {
    const name = schemaName(kind);
    const refs = new Set<string>();
    if (upstreamSchemas[name] === undefined) schemas[name] = customSchema(kind, refs);
    else refs.add(name);
    wanted.push(...refs);
  }
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (schemas[name] !== undefined) continue;
    const refs = new Set<string>();
    schemas[name] = convert(described(name, replaced[name] ?? upstreamSchemas[name] ?? {}), false, refs);
    wanted.push(...refs);
  }
  return schemas;
}

/** Where only the names of the fields are known, everything in them is allowed. */
function customSchema(kind: ServedKind, refs: Set<string>): Node {
  const { group, version, kind: name } = kind.type;
  const own: Schema = kind.schema ??
    ownShapes.get(`${group}/${name}`) ?? {
      type: "object",
      properties: Object.fromEntries((kind.fields ?? []).map((field) => [field, freeField(field)])),
      ...(kind.fields === undefined ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    };
  const schema = convert(own, false, refs) as Node;
  const metadata = { allOf: [{ $ref: refPrefix + objectMetaName }] };
  return {
    ...schema,
    properties: {
      ...(isObject(schema["properties"]) ? schema["properties"] : {}),
      apiVersion: { type: "string", description: objectFields["apiVersion"] },
      kind: { type: "string", description: objectFields["kind"] },
      metadata: { ...metadata, description: objectFields["metadata"] },
    },
    "x-kubernetes-group-version-kind": [{ group, version, kind: name }],
  };
}

function freeField(field: string): Schema {
  const free: Schema = { "x-kubernetes-preserve-unknown-fields": true };
  return field === "spec" || field === "status" ? { type: "object", ...free } : free;
}

/** `inProperties`: the keys are names of fields, which may be called anything, `$ref` included. */
function convert(value: unknown, inProperties: boolean, refs: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, false, refs));
  if (!isObject(value)) return value;
  const { $ref } = value;
  const entries = Object.entries(value).filter(([key]) => inProperties || key !== "$ref" || typeof $ref !== "string");
  const converted = entries.map(([key, inner]) => [key, convert(inner, !inProperties && key === "properties", refs)]);
  const result = Object.fromEntries(converted) as Node;
  if (inProperties || typeof $ref !== "string") return result;
  refs.add($ref.slice(refPrefix.length));
  // Beside a $ref nothing else counts in OpenAPI 3.0, hence the wrapping.
  return Object.keys(result).length === 0 ? { $ref } : { ...result, allOf: [{ $ref }] };
}
