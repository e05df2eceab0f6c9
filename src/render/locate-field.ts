/** Where a field of an object stands in the file the object came from: what admission complains of, made clickable. */
import type { Location } from "#lib";
import { parseYaml, type YamlPath } from "./yaml-source.ts";

/**
 * `origin` is where the object begins in `text`; `field` is a path as Kubernetes writes it
 * (`spec.steps[0].setWeight`). A field that a patch or a default put there has no place of its own: then the nearest
 * thing around it, in the end the object.
 */
export function locateField(text: string, origin: Location, field: string): Location {
  const line = origin.line ?? 1;
  const documents = parseYaml(origin.file, text, []);
  const mine = documents.findLast((document) => (document.locate([]).line ?? 1) <= line);
  // An item of a List does not begin where its document does, and paths of the item are not paths of the document.
  if (mine === undefined || mine.locate([]).line !== line) return origin;
  return mine.locate(fieldPath(field));
}

/** `spec.containers[0].env["A.B"]` as its parts. */
export function fieldPath(field: string): YamlPath {
  const parts = field.matchAll(/\[(\d+)\]|\["([^"]+)"\]|\[([^\]]+)\]|([^.[\]]+)/g);
  return [...parts].map(([, index, quoted, bare, name]) =>
    index === undefined ? (quoted ?? bare ?? name ?? "") : Number(index),
  );
}
