/** The shapes of upstream's own kinds; `scripts/upstream-schema.ts` makes the data. */
import { splitApiVersion } from "#api";
import upstream from "./generated/upstream.json" with { type: "json" };
import type { Schema } from "./schema.ts";

export const refPrefix = "#/components/schemas/";
export const objectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

// The type inferred from the file is a hundred kilobytes of literals, none of which says what a schema is.
export const upstreamSchemas = upstream as unknown as Readonly<Record<string, Schema>>;

const namesByKind: ReadonlyMap<string, string> = new Map(
  Object.entries(upstreamSchemas).flatMap(([name, schema]) => {
    const kinds = schema["x-kubernetes-group-version-kind"] ?? [];
    return kinds.map(({ group, version, kind }) => [`${group}/${version}/${kind}`, name] as const);
  }),
);

/** `io.k8s.api.apps.v1.Deployment`, or undefined for kinds upstream does not compile in. */
export function upstreamSchemaName(apiVersion: string, kind: string): string | undefined {
  const { group, version } = splitApiVersion(apiVersion);
  return namesByKind.get(`${group}/${version}/${kind}`);
}

const resolved = new WeakMap<Schema, Schema>();

/** The schema itself, following a reference; what stands beside the reference is kept. */
export function resolveSchema(schema: Schema | undefined): Schema | undefined {
  if (schema === undefined || typeof schema.$ref !== "string") return schema;
  const known = resolved.get(schema);
  if (known !== undefined) return known;
  const { $ref, ...beside } = schema;
  const target = upstreamSchemas[$ref.slice(refPrefix.length)];
  const whole = Object.keys(beside).length === 0 ? target : { ...target, ...beside };
  if (whole !== undefined) resolved.set(schema, whole);
  return whole;
}

/** The schema of one field of an object, resolved. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const { properties, additionalProperties } = schema ?? {};
  if (properties !== undefined && Object.hasOwn(properties, field)) return resolveSchema(properties[field]);
  return typeof additionalProperties === "object" ? resolveSchema(additionalProperties) : undefined;
}
