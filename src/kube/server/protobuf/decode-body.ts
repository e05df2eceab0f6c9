/**
 * Request bodies of `application/vnd.kubernetes.protobuf`, which typed Go clients (kubectl create, helm, controllers)
 * send for built-in kinds, as the JSON they stand for. Answers are always JSON: clients read what Content-Type says.
 */
import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";
import { type MessageField, messageFields, messageName } from "./messages.ts";
import { readFields, type WireValue } from "./wire.ts";

/** "k8s\0", which says that a runtime.Unknown follows. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const maxDepth = 100;

type Fields = Record<string, unknown>;

/** Throws BadRequest for bytes that are no such body, UnsupportedMediaType for kinds without a message table. */
export function decodeProtobufBody(bytes: Uint8Array): unknown {
  if (bytes.length < magic.length || !magic.equals(bytes.subarray(0, magic.length))) {
    throw badRequest("the body of the request does not begin like a Kubernetes protobuf message");
  }
  let apiVersion = "";
  let kind = "";
  let raw: Uint8Array = new Uint8Array();
  for (const part of readFields(bytes.subarray(magic.length))) {
    if (part.wire !== 2) continue;
    if (part.field === 2) raw = part.bytes;
    if (part.field !== 1) continue;
    for (const meta of readFields(part.bytes)) {
      if (meta.field === 1) apiVersion = text(meta);
      if (meta.field === 2) kind = text(meta);
    }
  }
  const name = messageName(apiVersion, kind);
  if (messageFields(name) === undefined) {
    throw new KubeError(
      "UnsupportedMediaType",
      `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)} cannot be read as protobuf here: send application/json`,
    );
  }
  return { apiVersion, kind, ...decodeMessage(name, raw, 0) };
}

function decodeMessage(name: string, bytes: Uint8Array, depth: number): Fields {
  if (depth > maxDepth) throw badRequest("the body of the request is nested too deep");
  const fields = messageFields(name);
  const result: Fields = {};
  for (const part of readFields(bytes)) {
    const field = fields?.get(part.field);
    if (field === undefined) continue;
    if (field.inlined) Object.assign(result, decodeMessage(field.type, bytesOf(part), depth + 1));
    else if (field.map) addEntry(result, field, bytesOf(part), depth);
    else if (field.repeated) addItem(result, field.name, decodeValue(field.type, part, depth));
    else {
      const value = decodeValue(field.type, part, depth);
      if (field.zeroCounts ? value !== undefined : !isZero(value)) result[field.name] = value;
    }
  }
  return result;
}

function decodeValue(type: string, part: WireValue, depth: number): unknown {
  if (type.startsWith("list:")) return decodeNamedList(type.slice(5), bytesOf(part), depth);
  switch (type) {
    case "string":
      return text(part);
    case "bool":
      return integer(part) !== 0;
    case "int":
      return integer(part);
    case "float":
      return float(part);
    case "bytes":
      return Buffer.from(bytesOf(part)).toString("base64");
    case "meta.v1.Time":
      return decodeTime(bytesOf(part), "second");
    case "meta.v1.MicroTime":
      return decodeTime(bytesOf(part), "microsecond");
    case "resource.Quantity":
      return textField(bytesOf(part), 1);
    case "intstr.IntOrString":
      return decodeIntOrString(bytesOf(part));
    case "meta.v1.FieldsV1":
    case "runtime.RawExtension":
      return decodeEmbeddedJson(bytesOf(part));
    default:
      return decodeMessage(type, bytesOf(part), depth + 1);
  }
}

/** A map's entry is a message of its own: key in field 1, value in field 2. */
function addEntry(result: Fields, field: MessageField, bytes: Uint8Array, depth: number): void {
  let key = "";
  let value: unknown = emptyOf(field.type);
  for (const part of readFields(bytes)) {
    if (part.field === 1) key = text(part);
    if (part.field === 2) value = decodeValue(field.type, part, depth);
  }
  if (key === "__proto__") throw badRequest('the body of the request has a key named "__proto__"');
  const existing = result[field.name] as Fields | undefined;
  if (existing === undefined) result[field.name] = { [key]: value };
  else existing[key] = value;
}

function emptyOf(type: string): unknown {
  if (type === "string" || type === "bytes") return "";
  if (type.startsWith("list:")) return [];
  return type === "int" || type === "float" ? 0 : {};
}

function addItem(result: Fields, name: string, value: unknown): void {
  const existing = result[name];
  if (Array.isArray(existing)) existing.push(value);
  else result[name] = [value];
}

function decodeNamedList(type: string, bytes: Uint8Array, depth: number): unknown[] {
  return readFields(bytes).flatMap((part) => (part.field === 1 ? [decodeValue(type, part, depth)] : []));
}

function decodeTime(bytes: Uint8Array, smallestUnit: "second" | "microsecond"): string | undefined {
  let seconds: number | undefined;
  let nanos = 0;
  for (const part of readFields(bytes)) {
    if (part.field === 1) seconds = integer(part);
    if (part.field === 2) nanos = integer(part);
  }
  // The zero time of Go, which means "no time", is an empty message or lies before year 1.
  if (seconds === undefined || seconds <= -62_135_596_800) return undefined;
  try {
    const instant = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).add({ nanoseconds: nanos });
    return instant.toString({ smallestUnit });
  } catch {
    throw badRequest("the body of the request has a time that is out of range");
  }
}

function decodeIntOrString(bytes: Uint8Array): number | string {
  const fields = readFields(bytes);
  const isString = fields.some((part) => part.field === 1 && integer(part) === 1);
  if (isString) return textField(bytes, 3);
  const number = fields.find((part) => part.field === 2);
  return number === undefined ? 0 : integer(number);
}

function decodeEmbeddedJson(bytes: Uint8Array): unknown {
  const json = textField(bytes, 1);
  if (json === "") return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw badRequest("the body of the request has an embedded value that is not JSON");
  }
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function textField(bytes: Uint8Array, field: number): string {
  const part = readFields(bytes).find((candidate) => candidate.field === field);
  return part === undefined ? "" : text(part);
}

function text(part: WireValue): string {
  return Buffer.from(bytesOf(part)).toString();
}

function bytesOf(part: WireValue): Uint8Array {
  if (part.wire !== 2) throw badRequest("the body of the request has a field of another type than expected");
  return part.bytes;
}

function integer(part: WireValue): number {
  if (part.wire === 2) throw badRequest("the body of the request has a field of another type than expected");
  return Number(BigInt.asIntN(64, part.number));
}

function float(part: WireValue): number {
  if (part.wire !== 1) throw badRequest("the body of the request has a field of another type than expected");
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, part.number);
  return view.getFloat64(0);
}
