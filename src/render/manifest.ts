/** Kubernetes objects as a person wrote them in files. */
import type { AnyObject } from "#api";
import { isObject, type Location, type Problem } from "#lib";
import { parseYaml, type YamlDocument, type YamlPath } from "./yaml-source.ts";

export interface Manifest {
  readonly object: AnyObject;
  readonly at: Location;
}

/** Every object in the text; `kind: List` (and `…List` with items) is flattened. */
export function parseManifests(file: string, text: string, problems: Problem[]): Manifest[] {
  return parseYaml(file, text, problems).flatMap((document) => manifestsIn(document, [], document.value, problems));
}

function manifestsIn(document: YamlDocument, path: YamlPath, value: unknown, problems: Problem[]): Manifest[] {
  if (!isObject(value)) {
    problems.push(document.problem(path, "Expected a Kubernetes object: found something that is not a mapping"));
    return [];
  }
  const { kind, items } = value;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items)) {
    return items.flatMap((item, index) => manifestsIn(document, [...path, "items", index], item, problems));
  }
  const problem = objectProblem(document, path, value);
  if (problem !== undefined) {
    problems.push(problem);
    return [];
  }
  return [{ object: value as AnyObject, at: document.locate(path) }];
}

function objectProblem(document: YamlDocument, path: YamlPath, value: Record<string, unknown>): Problem | undefined {
  for (const field of ["apiVersion", "kind"]) {
    const found = value[field];
    if (typeof found === "string" && found !== "") continue;
    const message = found === undefined ? `Object has no ${field}: add it` : `${field} must be a string`;
    return document.problem([...path, field], message);
  }
  const metadata = value["metadata"];
  if (!isObject(metadata))
    return document.problem([...path, "metadata"], `${String(value["kind"])} has no metadata.name: add it`);
  const { name, generateName } = metadata;
  if (typeof name === "string" && name !== "") return undefined;
  if (name === undefined && typeof generateName === "string" && generateName !== "") return undefined;
  const message = `${String(value["kind"])} has no metadata.name: add it (quoted, if it looks like a number)`;
  return document.problem([...path, "metadata", "name"], message);
}
