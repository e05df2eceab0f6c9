/** Strategic merge and JSON patches of a kustomization. */
import type { AnyObject } from "#api";
import { isObject, type Problem } from "#lib";
import { parseYaml } from "../yaml-source.ts";
import { KustomizeError } from "./errors.ts";
import { applyJsonPatch, readJsonPatch, type JsonPatchOperation } from "./json-patch.ts";
import type { Patch } from "./kustomization.ts";
import { mergeSchemaOf } from "./merge-keys.ts";
import { Resource, sameId, shownId } from "./resource.ts";
import { selectTargets } from "./selector.ts";
import { strategicMerge } from "./strategic-merge.ts";

export type ParsedPatch =
  | { readonly kind: "strategic"; readonly objects: readonly AnyObject[] }
  | { readonly kind: "json"; readonly operations: readonly JsonPatchOperation[] };

/** Tells a JSON patch (a list) from strategic merge patches (objects). What is not YAML goes to `problems`. */
export function parsePatch(file: string, text: string, problems: Problem[]): ParsedPatch | undefined {
  const before = problems.length;
  const documents = parseYaml(file, text, problems);
  if (problems.length > before) return undefined;
  const [first] = documents;
  if (first === undefined) throw new KustomizeError("The patch is empty");
  if (Array.isArray(first.value)) return { kind: "json", operations: readJsonPatch(first.value) };
  return { kind: "strategic", objects: documents.map((document) => patchObject(document.value)) };
}

function patchObject(value: unknown): AnyObject {
  if (isObject(value) && isObject(value["metadata"])) return value as AnyObject;
  if (isObject(value)) return { ...value, metadata: { name: "" } } as AnyObject;
  throw new KustomizeError("A strategic merge patch must be a mapping");
}

/** Applies one entry; returns the objects that are left (a patch may delete). */
export function applyPatch(resources: Resource[], entry: Patch, patch: ParsedPatch): Resource[] {
  if (patch.kind === "json") return applyJson(resources, entry, patch.operations);
  if (entry.target === undefined) return applyByIdentity(resources, entry, patch.objects);
  if (patch.objects.length > 1) throw new KustomizeError("A patch with a target must be a single object", ["target"]);
  const selected = new Set(selectTargets(resources, entry.target));
  const [object] = patch.objects;
  return resources.filter(
    (resource) => !selected.has(resource) || object === undefined || mergeInto(resource, object, entry),
  );
}

function applyJson(resources: Resource[], entry: Patch, operations: readonly JsonPatchOperation[]): Resource[] {
  if (entry.target === undefined) throw new KustomizeError('A JSON patch needs a "target": add kind and name');
  for (const resource of selectTargets(resources, entry.target)) {
    resource.rememberId();
    resource.object = applyJsonPatch(resource.object, operations);
  }
  return resources;
}

function applyByIdentity(resources: Resource[], entry: Patch, objects: readonly AnyObject[]): Resource[] {
  let left = resources;
  for (const object of objects) {
    if (typeof object.apiVersion !== "string" || typeof object.kind !== "string" || !object.metadata.name) {
      throw new KustomizeError("A strategic merge patch without a target needs apiVersion, kind and metadata.name");
    }
    const wanted = new Resource(object, { file: "" }).id;
    const matches = left.filter((resource) => resource.anyIds.some((id) => sameId(id, wanted)));
    const [target, second] = matches;
    if (target === undefined)
      throw new KustomizeError(`No object matches the patch of ${shownId(wanted)}: check kind, name and namespace`);
    if (second !== undefined)
      throw new KustomizeError(`Several objects match the patch of ${shownId(wanted)}: add a target`);
    if (!mergeInto(target, object, entry)) left = left.filter((resource) => resource !== target);
  }
  return left;
}

/** Merges in place; false when the patch deleted the object. Identity stays unless the options allow it to change. */
function mergeInto(resource: Resource, patch: AnyObject, entry: Patch): boolean {
  const { object } = resource;
  const mayRename = entry.options?.allowNameChange === true;
  const mayChangeKind = entry.options?.allowKindChange === true;
  if (mayRename || mayChangeKind) resource.rememberId();
  const schema = mergeSchemaOf(object.apiVersion, object.kind);
  // A patch may go to several objects, which later steps change in place.
  const merged = strategicMerge(object, structuredClone(patch), schema);
  if (!isObject(merged)) return false;
  const result = merged as AnyObject;
  const metadata = { ...result.metadata };
  if (!mayRename || !metadata.name) metadata.name = object.metadata.name;
  if (object.metadata.namespace === undefined) delete metadata.namespace;
  else metadata.namespace = object.metadata.namespace;
  resource.object = { ...result, metadata };
  if (!mayChangeKind) resource.object.kind = object.kind;
  if (entry.target !== undefined) resource.object.apiVersion = object.apiVersion;
  return true;
}
