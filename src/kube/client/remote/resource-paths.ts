/** Where an API serves what. Pure. */
import type { KubeObject, ResourceType } from "#api";

export interface Place {
  readonly namespace?: string | undefined;
  readonly name: string;
}

type Type = ResourceType<KubeObject>;

/** All of a kind; of one namespace when there is one and the kind has them. */
export function collectionPath(type: Type, namespace?: string): string {
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const within = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${within}/${type.plural}`;
}

export function objectPath(type: Type, place: Place, subresource?: string): string {
  const below = subresource === undefined ? "" : `/${subresource}`;
  return `${collectionPath(type, place.namespace ?? "default")}/${encodeURIComponent(place.name)}${below}`;
}

/** Without the parameters that are undefined. */
export function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}
