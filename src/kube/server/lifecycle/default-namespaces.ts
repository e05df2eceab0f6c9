import { type AnyObject, namespaces } from "#api";
import type { ObjectApi } from "../object-api.ts";
import { plainWrite } from "../write/write-request.ts";

export const defaultNamespaces = ["default", "kube-system"] as const;

/** The namespaces every cluster has. Kinds may leave Namespace out in tests; then there is nothing to create. */
export function createDefaultNamespaces(objects: ObjectApi): void {
  const kind = objects.kinds.find(namespaces.group, namespaces.version, namespaces.plural);
  if (kind === undefined) return;
  for (const name of defaultNamespaces) {
    if (objects.find(kind, { name }) !== undefined) continue;
    const body: AnyObject = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    objects.create(kind, undefined, body, plainWrite("tidegate"));
  }
}
