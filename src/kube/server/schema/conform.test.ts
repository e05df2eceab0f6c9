import assert from "node:assert/strict";
import { test } from "node:test";
import { conform } from "./conform.ts";
import { upstreamSchemas } from "./upstream.ts";

const options = { allRules: false, confidential: false, except: new Set<string>() };

test("a definition keeps the schemas of the items of its lists, which are schemas or lists of them", () => {
  const schema = upstreamSchemas["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"] ?? {};
  const value = {
    type: "array",
    items: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
    additionalProperties: false,
    default: [{ id: "a" }],
  };
  const before = structuredClone(value);
  assert.deepEqual(conform(schema, value, options).unknown, []);
  assert.deepEqual(value, before);
});
