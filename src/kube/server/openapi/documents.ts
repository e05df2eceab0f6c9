/**
 * OpenAPI v3 as far as clients use it: the schemas (explain, and the merge keys of client-side apply), and for each kind
 * which operations take which parameters (what kubectl decides field validation and patch types by). Pure.
 */
import { apiVersionOf } from "#api";
import { sha256Hex } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import { refPrefix } from "../schema/upstream.ts";
import { componentSchemas, schemaName } from "./schemas.ts";

type Node = Record<string, unknown>;

/** `apis/apps/v1`, the key of a document in the index. */
function documentPath(group: string, version: string): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

/** Path → document, one for each group and version. */
export function openApiDocuments(kinds: readonly ServedKind[], serverVersion: string): ReadonlyMap<string, string> {
  const groups = Map.groupBy(kinds, ({ type }) => documentPath(type.group, type.version));
  return new Map(
    [...groups].map(([path, members]) => [path, JSON.stringify(documentOf(path, members, serverVersion))] as const),
  );
}

/** The URLs carry a hash of the document, since clients keep what they have while the URL stays the same. */
export function openApiIndex(documents: ReadonlyMap<string, string>): Node {
  const paths = [...documents].map(([path, text]) => {
    const hash = sha256Hex(text).toUpperCase();
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
  });
  return { paths: Object.fromEntries(paths) as Node };
}

export function documentKey(group: string, version: string): string {
  return documentPath(group, version);
}

function documentOf(path: string, kinds: readonly ServedKind[], serverVersion: string): Node {
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: serverVersion },
    paths: Object.assign({}, ...kinds.map((kind) => pathsOf(path, kind))) as Node,
    components: { schemas: componentSchemas(kinds) },
  };
}

function pathsOf(root: string, kind: ServedKind): Node {
  const { plural, namespaced } = kind.type;
  const collection = namespaced ? `/${root}/namespaces/{namespace}/${plural}` : `/${root}/${plural}`;
  const object = `${collection}/{name}`;
  return {
    ...(namespaced ? { [`/${root}/${plural}`]: { get: operation(kind, "list", []) } } : {}),
    [collection]: { get: operation(kind, "list", []), post: writeOperation(kind, "post", jsonAndYaml) },
    [object]: {
      get: operation(kind, "get", []),
      put: writeOperation(kind, "put", jsonAndYaml),
      patch: writeOperation(kind, "patch", patchTypes(kind)),
      delete: operation(kind, "delete", [parameter("dryRun")]),
    },
    ...(kind.status ? { [`${object}/status`]: { patch: writeOperation(kind, "patch", patchTypes(kind)) } } : {}),
  };
}

const jsonAndYaml = ["application/json", "application/yaml"] as const;

/** kubectl chooses strategic merge where it is listed, so kinds that refuse it must not list it. */
function patchTypes(kind: ServedKind): readonly string[] {
  const types = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
  return kind.custom ? types : [...types, "application/strategic-merge-patch+json"];
}

function writeOperation(kind: ServedKind, action: string, bodyTypes: readonly string[]): Node {
  const names = ["dryRun", "fieldManager", "fieldValidation", ...(action === "patch" ? ["force"] : [])];
  const schema = action === "patch" ? { type: "object" } : { $ref: refPrefix + schemaName(kind) };
  return {
    ...operation(kind, action, names.map(parameter)),
    requestBody: { content: Object.fromEntries(bodyTypes.map((type) => [type, { schema }])), required: true },
  };
}

function operation(kind: ServedKind, action: string, parameters: readonly Node[]): Node {
  const { group, version, kind: name } = kind.type;
  const schema = { $ref: refPrefix + schemaName(kind) };
  return {
    tags: [apiVersionOf(kind.type).replace("/", "_")],
    operationId: `${action}${name}`,
    parameters,
    responses: { "200": { description: "OK", content: { "application/json": { schema } } } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group, version, kind: name },
  };
}

function parameter(name: string): Node {
  const type = name === "force" ? "boolean" : "string";
  return { name, in: "query", schema: { type, uniqueItems: true } };
}
