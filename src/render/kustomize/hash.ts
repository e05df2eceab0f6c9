/** The content hash that Kustomize appends to names of generated ConfigMaps and Secrets. */
import type { AnyObject } from "#api";
import { canonicalJson, isObject, sha256Hex } from "#lib";

/** Ten characters of the SHA-256, with those that could form words replaced. */
export function contentHash(object: AnyObject): string {
  const hex = sha256Hex(goJson(object.kind === "Secret" ? secretContent(object) : configMapContent(object)));
  return hex.slice(0, 10).replaceAll(/[013ae]/g, (digit) => readable[digit] ?? digit);
}

const readable: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };

/**
 * Upstream means to include the name but looks it up by a path that never matches, so it is always empty there: one
 * content has one hash whatever the prefix.
 */
const name = "";

function configMapContent(object: AnyObject): Record<string, unknown> {
  const content = { kind: "ConfigMap", name, data: object["data"] ?? "" };
  return isObject(object["binaryData"]) ? { ...content, binaryData: object["binaryData"] } : content;
}

function secretContent(object: AnyObject): Record<string, unknown> {
  const { type = "", data = "", stringData } = object;
  const content = { kind: "Secret", type, name, data };
  return isObject(stringData) ? { ...content, stringData } : content;
}

/** Go's `json.Marshal` writes these five characters as escapes, even inside strings. */
function goJson(value: unknown): string {
  return canonicalJson(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
