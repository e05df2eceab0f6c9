/** Whether the schema of a CRD is one objects can be pruned, defaulted and owned by. With upstream's words. Pure. */
import type { CustomResourceDefinition } from "#api";
import { isObject, type Problem } from "#lib";
import { conform } from "../schema/conform.ts";
import type { Schema } from "../schema/schema.ts";
import { compileRule, rulesOf } from "./cel-rules.ts";

export function schemaProblems(crd: CustomResourceDefinition): Problem[] {
  return (crd.spec?.versions ?? []).flatMap((version, index) => {
    const schema = version.schema?.openAPIV3Schema;
    if (!isObject(schema)) return [];
    const path = `spec.versions[${index}].schema.openAPIV3Schema`;
    const problems = structureProblems(schema, path, "root");
    if (schema["type"] !== "object" && schema["type"] !== undefined) {
      problems.push({
        path: `${path}.type`,
        message: `Invalid value: ${JSON.stringify(schema["type"])}: must be object at the root`,
      });
    }
    return problems;
  });
}

const unsupportedFields = [
  "$ref",
  "definitions",
  "dependencies",
  "deprecated",
  "discriminator",
  "id",
  "patternProperties",
  "readOnly",
  "writeOnly",
  "xml",
] as const;

function structureProblems(schema: Schema, path: string, where: string): Problem[] {
  const fields = schema as Readonly<Record<string, unknown>>;
  const problems: Problem[] = unsupportedFields
    .filter((field) => fields[field] !== undefined && fields[field] !== false && fields[field] !== "")
    .map((field) => ({ path: `${path}.${field}`, message: `Forbidden: ${field} is not supported` }));
  if (fields["uniqueItems"] === true) {
    const message = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    problems.push({ path: `${path}.uniqueItems`, message });
  }
  const open = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema.type === undefined && (!open || where === "root")) {
    problems.push({ path: `${path}.type`, message: `Required value: must not be empty ${emptyWords[where] ?? where}` });
  }
  const { properties, additionalProperties, items } = schema;
  if (schema.type === "array" && items === undefined) {
    problems.push({ path: `${path}.items`, message: "Required value: must be specified" });
  }
  if (
    Object.keys(properties ?? {}).length > 0 &&
    additionalProperties !== undefined &&
    additionalProperties !== false
  ) {
    const message = "Forbidden: additionalProperties and properties are mutual exclusive";
    problems.push({ path: `${path}.additionalProperties`, message });
  }
  problems.push(...listProblems(schema, path), ...defaultProblems(schema, path), ...expressionProblems(schema, path));
  for (const [name, inner] of Object.entries(properties ?? {})) {
    if (where === "root" && name === "metadata") continue;
    problems.push(...structureProblems(inner, `${path}.properties[${name}]`, "field"));
  }
  if (items !== undefined && isObject(items)) problems.push(...structureProblems(items, `${path}.items`, "item"));
  if (isObject(additionalProperties)) {
    problems.push(...structureProblems(additionalProperties, `${path}.additionalProperties`, "field"));
  }
  return problems;
}

const emptyWords: Readonly<Record<string, string>> = {
  root: "at the root",
  field: "for specified object fields",
  item: "for specified array items",
};

function listProblems(schema: Schema, path: string): Problem[] {
  const type = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (type === undefined) return [];
  if (!["atomic", "map", "set"].includes(type)) {
    const message = `Unsupported value: ${JSON.stringify(type)}: supported values: "atomic", "map", "set"`;
    return [{ path: `${path}.x-kubernetes-list-type`, message }];
  }
  if (schema.type !== "array") {
    return [
      {
        path: `${path}.type`,
        message: `Invalid value: ${JSON.stringify(schema.type ?? "")}: must be array if x-kubernetes-list-type is specified`,
      },
    ];
  }
  if (type !== "map") return [];
  if (keys.length === 0) {
    return [
      {
        path: `${path}.x-kubernetes-list-map-keys`,
        message: "Required value: must not be empty if x-kubernetes-list-type is map",
      },
    ];
  }
  const known = Object.keys(schema.items?.properties ?? {});
  return keys
    .filter((key) => !known.includes(key))
    .map((key) => ({
      path: `${path}.x-kubernetes-list-map-keys`,
      message: `Invalid value: ${JSON.stringify(key)}: entries must all be names of item properties`,
    }));
}

/** A default that is no value of the schema would make every object invalid. */
function defaultProblems(schema: Schema, path: string): Problem[] {
  if (schema.default === undefined) return [];
  const { default: given, ...rest } = schema;
  const options = { allRules: true, confidential: false, except: new Set<string>() };
  const holder: Schema = { type: "object", properties: { default: rest } };
  const { mistyped, broken, missing } = conform(holder, { default: structuredClone(given) }, options);
  return [...mistyped, ...broken, ...missing].map(({ path: inner, message }) => ({
    path: `${path}.${inner}`,
    message,
  }));
}

function expressionProblems(schema: Schema, path: string): Problem[] {
  return rulesOf(schema).flatMap(({ rule, messageExpression }, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    if (typeof rule !== "string" || rule.trim() === "")
      return [{ path: `${at}.rule`, message: "Required value: rule is not specified" }];
    return [
      ["rule", rule],
      ["messageExpression", messageExpression],
    ].flatMap(([field, text]) => {
      const program = text === undefined ? undefined : compileRule(text);
      if (!(program instanceof Error)) return [];
      const why = program.message.split("\n")[0] ?? "";
      return [
        { path: `${at}.${field}`, message: `Invalid value: ${JSON.stringify(text)}: compilation failed: ${why}` },
      ];
    });
  });
}
