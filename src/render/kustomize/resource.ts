/**
 * An object on its way through the layers of a kustomization. It remembers every identity it has had, because patches,
 * selectors and references name it by any of them.
 */
import { splitApiVersion, type AnyObject } from "#api";
import { isObject, type Location } from "#lib";
import { isClusterScoped } from "./cluster-scoped.ts";

export interface ResourceId {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

export type GenerationBehavior = "create" | "merge" | "replace";

export class Resource {
  object: AnyObject;
  readonly at: Location;
  /** Oldest first; never holds the current identity. */
  previousIds: ResourceId[] = [];
  prefixes: string[] = [];
  suffixes: string[] = [];
  needsHash = false;
  behavior: GenerationBehavior = "create";

  constructor(object: AnyObject, at: Location) {
    this.object = object;
    this.at = at;
  }

  get id(): ResourceId {
    const { group, version } = splitApiVersion(this.object.apiVersion);
    const { name, namespace } = this.object.metadata;
    return { group, version, kind: this.object.kind, name: name ?? "", namespace: namespace ?? "" };
  }

  get originalId(): ResourceId {
    return this.previousIds[0] ?? this.id;
  }

  get anyIds(): readonly ResourceId[] {
    return [...this.previousIds, this.id];
  }

  rememberId(): void {
    this.previousIds.push(this.id);
  }
}

/** `default` stands for an absent namespace; objects without one at all share a name that no namespace can have. */
export function effectiveNamespace(id: ResourceId): string {
  if (isClusterScoped(id.group, id.kind)) return "/cluster";
  return id.namespace === "" ? "default" : id.namespace;
}

export function sameId(a: ResourceId, b: ResourceId): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.group === b.group &&
    a.version === b.version &&
    effectiveNamespace(a) === effectiveNamespace(b)
  );
}

export function shownId(id: ResourceId): string {
  const namespace = id.namespace === "" ? "" : ` in namespace "${id.namespace}"`;
  return `${id.kind}${id.group === "" ? "" : `.${id.group}`} "${id.name}"${namespace}`;
}

/** A kind as tables and selectors give it; an absent part matches everything. */
export interface KindPattern {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
}

export function matchesKind(id: KindPattern, pattern: KindPattern): boolean {
  return (
    (pattern.kind === undefined || pattern.kind === id.kind) &&
    (pattern.group === undefined || pattern.group === id.group) &&
    (pattern.version === undefined || pattern.version === id.version)
  );
}

/** The string map at `metadata.labels` or `metadata.annotations`, or an empty one. */
export function metadataMap(object: AnyObject, field: "labels" | "annotations"): Record<string, string> {
  const map = object.metadata[field];
  return isObject(map) ? map : {};
}
