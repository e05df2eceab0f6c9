import assert from "node:assert/strict";
import { test } from "node:test";
import { builtinKinds } from "#api";
import { KindRegistry } from "../registry/kind-registry.ts";
import { upstreamSchemas } from "../schema/upstream.ts";
import type { Schema } from "../schema/schema.ts";
import { descriptions } from "./descriptions/described.ts";
import { openApiDocuments } from "./documents.ts";

/** Every schema of the documents of the built-in kinds, by its name. */
function servedSchemas(): ReadonlyMap<string, Schema> {
  const documents = openApiDocuments(new KindRegistry(builtinKinds).all(), "test");
  return new Map(
    [...documents.values()].flatMap((document) => {
      const { components } = JSON.parse(document) as { components: { schemas: Record<string, Schema> } };
      return Object.entries(components.schemas);
    }),
  );
}

const schemas = servedSchemas();

/** Paths of fields, to any depth of what is no type of its own, with their schemas. */
function* fieldsOf(
  path: string,
  { properties = {}, items, additionalProperties }: Schema,
): Generator<[string, Schema]> {
  for (const [name, field] of Object.entries(properties)) {
    yield [`${path}.${name}`, field];
    yield* fieldsOf(`${path}.${name}`, field);
  }
  if (items !== undefined) yield* fieldsOf(`${path}[]`, items);
  if (typeof additionalProperties === "object") yield* fieldsOf(`${path}{}`, additionalProperties);
}

test("every built-in kind says what it is", () => {
  const kinds = [...schemas].filter(([, schema]) => schema["x-kubernetes-group-version-kind"] !== undefined);
  const said = kinds.filter(([, { description }]) => description !== undefined);
  const groupKinds = said.flatMap(([, schema]) => schema["x-kubernetes-group-version-kind"] ?? []);
  const names = new Set(groupKinds.map(({ kind }) => kind));
  assert.deepEqual(
    builtinKinds.map(({ type }) => type.kind).filter((kind) => !names.has(kind)),
    [],
  );
});

test("every field that a built-in kind leads to says what it is for", () => {
  const fields = [...schemas].flatMap(([name, schema]) => [...fieldsOf(name, schema)]);
  assert.ok(fields.length > 1500, `${fields.length} fields`);
  assert.deepEqual(
    fields.filter(([, { description }]) => description === undefined).map(([path]) => path),
    [],
  );
});

test("nothing is said of a type or field that is not there", () => {
  const strange = Object.entries(descriptions).flatMap(([type, texts]) => {
    const known = new Set(["", ...Object.keys(upstreamSchemas[type]?.properties ?? {})]);
    return Object.keys(texts)
      .filter((field) => upstreamSchemas[type] === undefined || !known.has(field))
      .map((field) => `${type} ${field}`);
  });
  assert.deepEqual(strange, []);
});

test("what is said is one or two short sentences in ASCII, which keeps documents at a byte a letter", () => {
  const texts = [...schemas].flatMap(([name, schema]) => [[name, schema] as const, ...fieldsOf(name, schema)]);
  const wrong = texts.filter(
    ([, { description }]) => description !== undefined && !/^[\x20-\x7e]{6,170}\.$/.test(description),
  );
  assert.deepEqual(
    wrong.map(([path, { description }]) => `${path}: ${description}`),
    [],
  );
});

test("a type repeats nothing that the fields which lead to it say, since kubectl prints both", () => {
  const fields = [...schemas].flatMap(([name, schema]) => [...fieldsOf(name, schema)]);
  const repeated = fields.filter(([, { description, allOf, items }]) => {
    const target = allOf?.[0]?.$ref ?? items?.$ref;
    return target !== undefined && description === schemas.get(target.split("/").at(-1) ?? "")?.description;
  });
  assert.deepEqual(
    repeated.map(([path]) => path),
    [],
  );
});

test("what is said goes into documents only: nothing that judges objects carries it", () => {
  const carrying = Object.entries(upstreamSchemas).filter(([name, schema]) =>
    [[name, schema] as const, ...fieldsOf(name, schema)].some(([, { description }]) => description !== undefined),
  );
  assert.deepEqual(carrying, []);
  const own = builtinKinds.filter(({ type }) => ["argoproj.io", "tidegate.dev"].includes(type.group));
  assert.ok(own.length >= 7);
  const registry = new KindRegistry(own);
  assert.ok(registry.all().every(({ schema }) => schema === undefined));
});
