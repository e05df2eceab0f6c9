/** Which field number is which JSON field, of the messages typed Go clients send; `scripts/protobuf-schema.ts` makes the data. */
import { splitApiVersion } from "#api";
import generated from "./generated/messages.json" with { type: "json" };

export interface MessageField {
  readonly name: string;
  /** A message of the table, a scalar, a type with a JSON form of its own, or `list:` and one of these. */
  readonly type: string;
  readonly repeated: boolean;
  /** A map from strings. */
  readonly map: boolean;
  /** A zero is a value (pointers, and fields JSON never leaves out) rather than "not set". */
  readonly zeroCounts: boolean;
  /** Its fields stand in the enclosing JSON object. */
  readonly inlined: boolean;
  readonly pointer: boolean;
  /** JSON has it even where it is zero. */
  readonly written: boolean;
}

// The type inferred from the file is one literal per field.
const table = generated as unknown as Readonly<Record<string, readonly (readonly [number, string, string, string])[]>>;

const cache = new Map<string, ReadonlyMap<number, MessageField>>();

/** The fields of a message by number, or undefined for messages not in the table. */
export function messageFields(message: string): ReadonlyMap<number, MessageField> | undefined {
  const known = cache.get(message);
  if (known !== undefined) return known;
  const rows = Object.hasOwn(table, message) ? table[message] : undefined;
  if (rows === undefined) return undefined;
  const fields = new Map(rows.map(([number, name, type, flags]) => [number, fieldOf(name, type, flags)]));
  cache.set(message, fields);
  return fields;
}

function fieldOf(name: string, type: string, flags: string): MessageField {
  return {
    name,
    type,
    repeated: flags.includes("r"),
    map: flags.includes("m"),
    zeroCounts: flags.includes("k"),
    inlined: flags.includes("i"),
    pointer: flags.includes("p"),
    written: flags.includes("w"),
  };
}

const packages: Readonly<Record<string, string>> = {
  "": "core",
  "rbac.authorization.k8s.io": "rbac",
};

/** `apps.v1.Deployment`; options of delete requests come under any group and are all the same message. */
export function messageName(apiVersion: string, kind: string): string {
  if (kind === "DeleteOptions") return "meta.v1.DeleteOptions";
  const { group, version } = splitApiVersion(apiVersion);
  const name = Object.hasOwn(packages, group) ? packages[group] : group.replace(/\.k8s\.io$/, "");
  return `${name}.${version}.${kind}`;
}
