/** How objects are named inside this room: by group and kind rather than version, since versions of a kind are one object. */
import { splitApiVersion, type AnyObject } from "#api";

export interface ObjectKey {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function keyOfObject(object: AnyObject): ObjectKey {
  const { group } = splitApiVersion(object.apiVersion);
  return { group, kind: object.kind, namespace: object.metadata.namespace ?? "", name: object.metadata.name ?? "" };
}

export function keyText({ group, kind, namespace, name }: ObjectKey): string {
  return `${group}/${kind}:${namespace}/${name}`;
}

export function annotationOf(object: AnyObject | undefined, name: string): string | undefined {
  return object?.metadata.annotations?.[name];
}

/** The words of a comma-separated annotation. */
export function annotationWords(object: AnyObject | undefined, name: string): string[] {
  const words = annotationOf(object, name)?.split(",") ?? [];
  return words.map((word) => word.trim()).filter((word) => word !== "");
}
