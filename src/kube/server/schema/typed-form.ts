/**
 * The form an object of a built-in kind has after upstream read it into its Go type and wrote it again: what is empty
 * and may be left out goes, what is always written is there, quantities and times are in one spelling. Fields Go writes
 * as null are left out, as its newer versions do. Changes its argument.
 */
import { canonicalQuantity } from "#api";
import { isObject } from "#lib";
import { type MessageField, messageFields } from "../protobuf/messages.ts";

type Fields = Record<string, unknown>;

/** `message`: the name of the Go type in the table of messages. */
export function toTypedForm(message: string, value: Fields): void {
  for (const field of messageFields(message)?.values() ?? []) {
    if (field.inlined) toTypedForm(field.type, value);
    // Shared with the stored object, and of our own making.
    else if (field.type !== "meta.v1.ManagedFieldsEntry") setField(field, value);
  }
}

function setField(field: MessageField, owner: Fields): void {
  const { name, type } = field;
  const value = owner[name];
  if (field.map || field.repeated || type.startsWith("list:")) return setCollection(field, owner);
  if (value === undefined || value === null) {
    const zero = field.pointer ? undefined : zeroOf(field);
    if (zero === undefined) delete owner[name];
    else owner[name] = zero;
    return;
  }
  const canonical = canonicalValue(type, value);
  if (!field.pointer && !field.written && isZeroScalar(canonical)) delete owner[name];
  else owner[name] = canonical;
}

function setCollection({ name, type, map, written }: MessageField, owner: Fields): void {
  const value = owner[name];
  if (value === undefined || value === null) {
    // Go writes null; an empty list says the same and spares every reader the question.
    if (written && !map) owner[name] = [];
    else delete owner[name];
    return;
  }
  if (map && isObject(value)) {
    for (const [key, item] of Object.entries(value)) value[key] = canonicalValue(type, item ?? emptyItem(type));
    if (Object.keys(value).length === 0 && !written) delete owner[name];
  } else if (Array.isArray(value)) {
    owner[name] = value.map((item: unknown) => canonicalValue(type, item ?? emptyItem(type)));
    if (value.length === 0 && !written) delete owner[name];
  }
}

function canonicalValue(type: string, value: unknown): unknown {
  switch (type) {
    case "resource.Quantity":
      return typeof value === "string" || typeof value === "number"
        ? (canonicalQuantity(String(value)) ?? value)
        : value;
    case "meta.v1.Time":
      return timeText(value, "second");
    case "meta.v1.MicroTime":
      return timeText(value, "microsecond");
    default:
      if (isObject(value)) toTypedForm(type, value);
      return value;
  }
}

function timeText(value: unknown, smallestUnit: "second" | "microsecond"): unknown {
  if (typeof value !== "string") return value;
  try {
    return Temporal.Instant.from(value).toString({ smallestUnit });
  } catch {
    return value;
  }
}

function isZeroScalar(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}

/** What Go writes for a field that is not there; undefined for nothing, and for null. */
function zeroOf({ type, written }: MessageField): unknown {
  switch (type) {
    case "string":
    case "bytes":
      return written ? "" : undefined;
    case "bool":
      return written ? false : undefined;
    case "int":
    case "float":
      return written ? 0 : undefined;
    case "resource.Quantity":
      return "0";
    case "intstr.IntOrString":
      return written ? 0 : undefined;
    case "meta.v1.Time":
    case "meta.v1.MicroTime":
    case "meta.v1.FieldsV1":
    case "runtime.RawExtension":
      return undefined;
    default: {
      if (messageFields(type) === undefined) return undefined;
      const zero: Fields = {};
      toTypedForm(type, zero);
      return zero;
    }
  }
}

function emptyItem(type: string): unknown {
  if (type === "string" || type === "bytes") return "";
  if (type === "int" || type === "float") return 0;
  return type === "bool" ? false : {};
}

const zeros = new Map<string, Fields>();

/** A new object of the Go type as JSON, with its nulls: what a first write is compared with. Frozen by use. */
export function zeroValue(message: string): Readonly<Fields> {
  const known = zeros.get(message);
  if (known !== undefined) return known;
  const zero: Fields = {};
  zeros.set(message, zero);
  for (const field of messageFields(message)?.values() ?? []) {
    if (field.inlined) Object.assign(zero, zeroValue(field.type));
    else {
      const value = zeroWithNulls(field);
      if (value !== undefined) zero[field.name] = value;
    }
  }
  return zero;
}

function zeroWithNulls(field: MessageField): unknown {
  const { type, pointer, written, map, repeated } = field;
  if (pointer || map || repeated || type.startsWith("list:")) return written ? null : undefined;
  if (["meta.v1.Time", "meta.v1.MicroTime", "runtime.RawExtension"].includes(type)) return null;
  const plain = zeroOf(field);
  return isObject(plain) ? zeroValue(type) : plain;
}
