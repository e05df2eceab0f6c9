/** ConfigMaps and Secrets made from literals, files and env files. */
import type { AnyObject } from "#api";
import { isObject, type Location, type Problem } from "#lib";
import type { FileTree } from "../ports.ts";
import { decodeUtf8, readBytes } from "../read-file.ts";
import { baseName, joinTreePath } from "../tree-path.ts";
import { KustomizeError, missingFile } from "./errors.ts";
import type { Generator, GeneratorOptions } from "./kustomization.ts";
import { metadataMap, Resource, sameId, shownId, type GenerationBehavior } from "./resource.ts";

export interface GeneratorInput {
  readonly kind: "ConfigMap" | "Secret";
  readonly generator: Generator;
  readonly global: GeneratorOptions | undefined;
  readonly tree: FileTree;
  readonly folder: string;
  readonly at: Location;
  readonly problems: Problem[];
}

export async function generate(input: GeneratorInput): Promise<Resource> {
  const { generator, global, kind } = input;
  const options = mergeOptions(global, generator.options);
  const data = await collect(input);
  const metadata: AnyObject["metadata"] = { name: generator.name };
  if (generator.namespace !== undefined && generator.namespace !== "") metadata.namespace = generator.namespace;
  if (hasEntries(options.labels)) metadata.labels = { ...options.labels };
  if (hasEntries(options.annotations)) metadata.annotations = { ...options.annotations };
  const object: AnyObject = { apiVersion: "v1", kind, metadata };
  if (kind === "Secret") Object.assign(object, { type: generator.type ?? "Opaque", data: secretData(data) });
  else Object.assign(object, configMapData(data));
  if (options.immutable === true) object["immutable"] = true;
  const resource = new Resource(object, input.at);
  resource.needsHash = options.disableNameSuffixHash !== true;
  resource.behavior = behaviorOf(generator.behavior);
  return resource;
}

/** Adds the generated object, or merges it into the one of the same identity when its behavior says so. */
export function absorb(resources: Resource[], generated: Resource): void {
  const matches = resources.filter((resource) => resource.anyIds.some((id) => sameId(id, generated.id)));
  const [old, second] = matches;
  const id = shownId(generated.id);
  if (second !== undefined)
    throw new KustomizeError(`Cannot ${generated.behavior} ${id}: several objects have this identity`);
  if (old === undefined) {
    if (generated.behavior === "create") resources.push(generated);
    else throw new KustomizeError(`Cannot ${generated.behavior} ${id}: no base has it; use behavior create`);
    return;
  }
  if (generated.behavior === "create") {
    throw new KustomizeError(`Cannot create ${id}: a base has it already; use behavior merge or replace`);
  }
  old.object = mergedObject(old.object, generated.object, generated.behavior);
  // Either side may switch the suffix off; none can switch it on again.
  old.needsHash &&= generated.needsHash;
}

function mergedObject(old: AnyObject, made: AnyObject, behavior: GenerationBehavior): AnyObject {
  const metadata = { ...made.metadata, name: old.metadata.name };
  if (old.metadata.namespace !== undefined) metadata.namespace = old.metadata.namespace;
  for (const field of ["labels", "annotations"] as const) {
    const merged = { ...metadataMap(old, field), ...metadataMap(made, field) };
    if (Object.keys(merged).length > 0) metadata[field] = merged;
  }
  const result: AnyObject = { ...made, metadata };
  if (behavior === "replace") return result;
  for (const field of ["data", "binaryData"]) {
    const merged = { ...mapAt(old, field), ...mapAt(made, field) };
    if (Object.keys(merged).length > 0) result[field] = merged;
  }
  return result;
}

function mapAt(object: AnyObject, field: string): Record<string, unknown> {
  const value = object[field];
  return isObject(value) ? value : {};
}

function behaviorOf(text: string | undefined): GenerationBehavior {
  if (text === undefined || text === "" || text === "create") return "create";
  if (text === "merge" || text === "replace") return text;
  throw new KustomizeError(`Unknown behavior "${text}": use create, merge or replace`, ["behavior"]);
}

function mergeOptions(global: GeneratorOptions | undefined, own: GeneratorOptions | undefined): GeneratorOptions {
  return {
    labels: { ...global?.labels, ...own?.labels },
    annotations: { ...global?.annotations, ...own?.annotations },
    disableNameSuffixHash: global?.disableNameSuffixHash === true || own?.disableNameSuffixHash === true,
    immutable: global?.immutable === true || own?.immutable === true,
  };
}

function hasEntries(map: Readonly<Record<string, string>> | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}

/** In Kustomize's order: env files, literals, files. A key that comes twice is an error. */
async function collect(input: GeneratorInput): Promise<Map<string, Uint8Array>> {
  const { generator } = input;
  const pairs: (readonly [string, Uint8Array])[] = [];
  const envs = [...(generator.envs ?? []), ...(generator.env === undefined ? [] : [generator.env])];
  for (const [index, file] of envs.entries()) pairs.push(...envPairs(await load(input, file, ["envs", index]), file));
  for (const [index, literal] of (generator.literals ?? []).entries()) pairs.push(literalPair(literal, index));
  for (const [index, source] of (generator.files ?? []).entries()) {
    const [key, file] = fileSource(source, index);
    pairs.push([key, await load(input, file, ["files", index])]);
  }
  const data = new Map<string, Uint8Array>();
  for (const [key, value] of pairs) {
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key))
      throw new KustomizeError(`"${key}" cannot be a key: use letters, digits, "-", "_" and "."`);
    if (data.has(key)) throw new KustomizeError(`Key "${key}" comes twice in "${generator.name}"`);
    data.set(key, value);
  }
  return data;
}

async function load(input: GeneratorInput, file: string, path: (string | number)[]): Promise<Uint8Array> {
  const joined = joinTreePath(input.folder, file);
  if (joined === undefined) throw new KustomizeError(`Path "${file}" leaves the repository`, path);
  const bytes = await readBytes(input.tree, joined, input.problems);
  if (bytes !== undefined) return bytes;
  throw new KustomizeError(missingFile(file, input.folder), path);
}

function literalPair(literal: string, index: number): readonly [string, Uint8Array] {
  const equals = literal.indexOf("=");
  if (equals < 1) throw new KustomizeError(`Literal ${index + 1} must be written key=value`, ["literals", index]);
  return [literal.slice(0, equals), Buffer.from(unquoted(literal.slice(equals + 1)))];
}

function unquoted(text: string): string {
  const first = text[0];
  if (text.length < 2 || first !== text.at(-1) || (first !== '"' && first !== "'")) return text;
  return text.slice(1, -1);
}

function fileSource(source: string, index: number): readonly [string, string] {
  const parts = source.split("=");
  const [key = "", file = ""] = parts;
  if (parts.length === 1) return [baseName(source), source];
  if (parts.length === 2 && key !== "" && file !== "") return [key, file];
  throw new KustomizeError(`"${source}" must be a path or key=path`, ["files", index]);
}

function envPairs(bytes: Uint8Array, file: string): (readonly [string, Uint8Array])[] {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new KustomizeError(`File "${file}" is not UTF-8 text`);
  const lines = text.split(/\r?\n/).map((line) => line.trimStart());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const equals = line.indexOf("=");
      if (equals < 0) return [line, Buffer.alloc(0)];
      return [line.slice(0, equals), Buffer.from(line.slice(equals + 1))];
    });
}

function configMapData(data: ReadonlyMap<string, Uint8Array>): Record<string, Record<string, string>> {
  const texts: Record<string, string> = {};
  const binaries: Record<string, string> = {};
  for (const [key, bytes] of sorted(data)) {
    const text = decodeExactly(bytes);
    if (text === undefined) binaries[key] = base64(bytes);
    else texts[key] = text;
  }
  return {
    ...(Object.keys(texts).length > 0 ? { data: texts } : {}),
    ...(Object.keys(binaries).length > 0 ? { binaryData: binaries } : {}),
  };
}

function decodeExactly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function secretData(data: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(sorted(data).map(([key, bytes]) => [key, base64(bytes)]));
}

function sorted(data: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...data].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Kustomize breaks long values into lines of 70; the line breaks are part of the value and so of the name's hash. */
function base64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("base64");
  if (text.length < 70) return text;
  return (text.match(/.{1,70}/g) ?? []).map((line) => `${line}\n`).join("");
}
