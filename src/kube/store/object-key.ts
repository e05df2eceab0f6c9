/** How the store names an object. */
export interface ObjectKey {
  /** `deployments.apps`: the resource without its version, since all versions of a kind are one object. */
  readonly resource: string;
  /** "" for objects that belong to no namespace. */
  readonly namespace: string;
  readonly name: string;
}

/** Namespace first, then name, by code unit: the order of lists and of continue tokens. */
export function comparePlaces(
  a: Pick<ObjectKey, "namespace" | "name">,
  b: Pick<ObjectKey, "namespace" | "name">,
): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
