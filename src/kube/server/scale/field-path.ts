import { isObject } from "#lib";

/** Reads `.spec.replicas`: the simple JSONPath of CRD scale subresources, names only. */
export function readField(object: unknown, path: string): unknown {
  let value = object;
  for (const field of fieldsOf(path)) value = isObject(value) ? value[field] : undefined;
  return value;
}

/** Sets it, making the objects on the way. */
export function writeField(object: Record<string, unknown>, path: string, value: unknown): void {
  const fields = fieldsOf(path);
  const last = fields.pop() ?? "";
  let parent = object;
  for (const field of fields) {
    const inner = parent[field];
    const next: Record<string, unknown> = isObject(inner) ? inner : {};
    parent[field] = next;
    parent = next;
  }
  parent[last] = value;
}

function fieldsOf(path: string): string[] {
  return path.split(".").filter((field) => field !== "");
}
