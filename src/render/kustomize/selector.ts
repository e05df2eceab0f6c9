/** Which objects a patch's `target` means. */
import { linearPattern } from "#lib";
import { KustomizeError } from "./errors.ts";
import type { Selector } from "./kustomization.ts";
import { effectiveNamespace, metadataMap, type Resource } from "./resource.ts";

/** Name and namespace match the original or the current identity; all parts are anchored regular expressions. */
export function selectTargets(resources: readonly Resource[], selector: Selector): Resource[] {
  const matches = {
    group: pattern(selector.group),
    version: pattern(selector.version),
    kind: pattern(selector.kind),
    name: pattern(selector.name),
    namespace: pattern(selector.namespace),
  };
  const labels = parseLabelSelector(selector.labelSelector);
  const annotations = parseLabelSelector(selector.annotationSelector);
  return resources.filter((resource) => {
    const { id, originalId } = resource;
    return (
      (matches.namespace(effectiveNamespace(originalId)) || matches.namespace(effectiveNamespace(id))) &&
      (matches.name(originalId.name) || matches.name(id.name)) &&
      matches.group(id.group) &&
      matches.version(id.version) &&
      matches.kind(id.kind) &&
      labels(metadataMap(resource.object, "labels")) &&
      annotations(metadataMap(resource.object, "annotations"))
    );
  });
}

/** Longer patterns are refused: a name has at most 253 characters, and and the work grows with the pattern. */
const longestPattern = 512;

function pattern(text: string | undefined): (value: string) => boolean {
  if (text === undefined || text === "") return () => true;
  if (text.length > longestPattern)
    throw new KustomizeError(`Pattern is over ${longestPattern} characters`, ["target"]);
  try {
    const expression = linearPattern(`^(?:${text})$`);
    return (value) => expression.test(value);
  } catch {
    throw new KustomizeError(`"${text}" is not a regular expression`, ["target"]);
  }
}

type MapTest = (map: Readonly<Record<string, string>>) => boolean;

/** The text form: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
function parseLabelSelector(text: string | undefined): MapTest {
  if (text === undefined || text.trim() === "") return () => true;
  const tests = text.split(/,(?![^(]*\))/).map((term) => parseTerm(term.trim()));
  return (map) => tests.every((test) => test(map));
}

function parseTerm(term: string): MapTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = new Set(list.split(",").map((value) => value.trim()));
    return (map) => (map[key] !== undefined && values.has(map[key])) === (operator === "in");
  }
  const equality = /^([^\s!=]+)\s*(==?|!=)\s*(\S*)$/.exec(term);
  if (equality !== null) {
    const [, key = "", operator, value] = equality;
    return (map) => (map[key] === value) === (operator !== "!=");
  }
  const presence = /^(!?)\s*([^\s!=(),]+)$/.exec(term);
  if (presence === null) throw new KustomizeError(`"${term}" is not a label selector`, ["target"]);
  const [, not, key = ""] = presence;
  return (map) => (map[key] !== undefined) === (not === "");
}
