/** What kind of value an expression gives, as far as a file tells. */

export type ValueType =
  | { readonly kind: "any" | "null" | "boolean" | "number" | "string" }
  | { readonly kind: "array"; readonly item: ValueType }
  /** Fields by their names in lower case; `rest` is of all others, and without it there are none. */
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, ValueType>; readonly rest?: ValueType };

export const anything: ValueType = { kind: "any" };
export const text: ValueType = { kind: "string" };
export const truth: ValueType = { kind: "boolean" };

export function record(rest: ValueType, fields: Readonly<Record<string, ValueType>> = {}): ValueType {
  return { kind: "object", fields: new Map(Object.entries(fields)), rest };
}

export function typeOfJson(value: unknown): ValueType {
  if (value === null) return { kind: "null" };
  if (Array.isArray(value)) return { kind: "array", item: common(value.map(typeOfJson)) };
  if (typeof value === "object") {
    const fields = Object.entries(value).map(([name, field]) => [name.toLowerCase(), typeOfJson(field)] as const);
    return { kind: "object", fields: new Map(fields) };
  }
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") {
    return { kind: typeof value as "boolean" | "number" | "string" };
  }
  return anything;
}

/** The one type of all of them, or anything. Objects are put together, since each may have what the others lack. */
export function common(types: readonly ValueType[]): ValueType {
  const [first, ...others] = types;
  if (first === undefined || others.some((type) => type.kind !== first.kind)) return anything;
  if (first.kind === "array") {
    return { kind: "array", item: common(types.flatMap((type) => (type.kind === "array" ? [type.item] : []))) };
  }
  if (first.kind !== "object") return first;
  const objects = types.flatMap((type) => (type.kind === "object" ? [type] : []));
  const names = new Set(objects.flatMap(({ fields }) => [...fields.keys()]));
  const fields = [...names].map((name) => {
    const found = objects.flatMap((object) => object.fields.get(name) ?? []);
    return [name, common(found)] as const;
  });
  const rests = objects.flatMap(({ rest }) => rest ?? []);
  return { kind: "object", fields: new Map(fields), ...(rests.length === 0 ? {} : { rest: common(rests) }) };
}

export function isStructure(type: ValueType): boolean {
  return type.kind === "array" || type.kind === "object";
}

const names = { any: "anything", null: "null", boolean: "a boolean", number: "a number", string: "a text" } as const;

export function nameOf(type: ValueType): string {
  if (type.kind === "array") return "a list";
  return type.kind === "object" ? "an object" : names[type.kind];
}
