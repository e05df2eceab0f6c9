/** From bytes to a JSON value, by Content-Type. */
import { parseDocument } from "yaml";
import { duplicateFields, duplicateYamlKeys } from "./duplicate-fields.ts";
import { KubeError } from "../../client/kube-error.ts";
import { decodeProtobufBody } from "../protobuf/decode-body.ts";
import { badRequest } from "../refusals.ts";
import { cloneJson } from "../write/clone-json.ts";

export const maxBodyBytes = 3 * 1024 * 1024;

/** The media type without parameters; JSON when the client names none. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? "").split(";")[0]?.trim().toLowerCase() || "application/json";
}

/** Undefined for an empty body. Throws BadRequest for what cannot be read, UnsupportedMediaType for other types. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (bytes.length === 0) return undefined;
  const media = mediaType(contentType);
  switch (media) {
    case "application/json":
      return cloneJson(parseJson(bytes));
    case "application/yaml":
      return cloneJson(parseYaml(bytes));
    case "application/vnd.kubernetes.protobuf":
      return decodeProtobufBody(bytes);
    default:
      throw unsupportedMedia(media, ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
  }
}

/** Of a server-side apply: YAML, of which JSON is a part that is read faster. */
export function applyBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw badRequest("the request must have a body");
  return cloneJson(bytes[0] === openingBrace ? parseJsonOrYaml(bytes) : parseYaml(bytes));
}

const openingBrace = 0x7b;

function parseJsonOrYaml(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch {
    // A YAML flow mapping opens with a brace too.
    return parseYaml(bytes);
  }
}

/** What the body names twice, in upstream's words; nothing of one that cannot be read, whose reader refuses it. */
export function duplicatesOf(bytes: Uint8Array, contentType: string | undefined): string[] {
  try {
    return findDuplicates(bytes, contentType);
  } catch {
    return [];
  }
}

function findDuplicates(bytes: Uint8Array, contentType: string | undefined): string[] {
  const media = mediaType(contentType);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const isYaml = media.endsWith("yaml") && bytes[0] !== openingBrace;
  if (isYaml) return duplicateYamlKeys(text);
  if (!media.endsWith("json") && !media.endsWith("yaml")) return [];
  return duplicateFields(text).map((path) => `duplicate field "${path}"`);
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as unknown;
  } catch (error) {
    throw new KubeError("BadRequest", "the body of the request is not JSON", {}, error);
  }
}

function parseYaml(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    // Keys said twice are a matter of field validation.
    const document = parseDocument(text, { uniqueKeys: false });
    const [problem] = document.errors;
    if (problem !== undefined) throw badRequest(`the body of the request is not YAML: ${problem.message}`);
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    if (error instanceof KubeError) throw error;
    throw new KubeError("BadRequest", "the body of the request is not YAML", {}, error);
  }
}

export function unsupportedMedia(found: string, accepted: readonly string[]): KubeError {
  return new KubeError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format (${JSON.stringify(found)}) - accepted media types include: ${accepted.join(", ")}`,
  );
}
