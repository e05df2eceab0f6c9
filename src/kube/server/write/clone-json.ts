import { badRequest } from "../refusals.ts";

/** Deeper values are refused: no real object comes near, and recursion over them would overflow the stack. */
const maxDepth = 250;

/**
 * A copy that is JSON: keys with undefined go, as they would in transit. Throws BadRequest for values JSON cannot
 * carry and for values nested too deep.
 */
export function cloneJson<T>(value: T): T {
  return copy(value, 0) as T;
}

function copy(value: unknown, depth: number): unknown {
  if (depth > maxDepth) throw badRequest(`the object is nested more than ${maxDepth} levels deep`);
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw badRequest("the object has a number that is not finite");
      return value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
      return copyMap(value as Record<string, unknown>, depth);
    default:
      throw badRequest(`the object has a ${typeof value}, which JSON cannot carry`);
  }
}

function copyMap(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    // A plain assignment to this key would set the prototype instead of a property.
    if (key === "__proto__") throw badRequest('the object has a field named "__proto__"');
    if (inner !== undefined) result[key] = copy(inner, depth + 1);
  }
  return result;
}
