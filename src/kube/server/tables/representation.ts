/** Objects and lists in the form the client asked for. Pure. */
import { type AnyObject, apiVersionOf } from "#api";
import type { Representation } from "../http/accept.ts";
import { badRequest } from "../refusals.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { type IncludeObject, partialMetadata, tableOf } from "./table.ts";

export interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface Presentation {
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  readonly now: Temporal.Instant;
}

/** The forms objects may be asked for in. */
export const objectForms = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"] as const;

/** Throws BadRequest for other values of the parameter. */
export function parseIncludeObject(value: string | null): IncludeObject {
  switch (value ?? "") {
    case "":
    case "Metadata":
      return "Metadata";
    case "None":
      return "None";
    case "Object":
      return "Object";
    default:
      throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
  }
}

export function presentObject(kind: ServedKind, object: AnyObject, how: Presentation): unknown {
  const { as, version = "v1" } = how.representation;
  if (as === "Table")
    return table(kind, [object], { resourceVersion: object.metadata.resourceVersion ?? "" }, how, true);
  if (as !== undefined) return partialMetadata(object, version);
  return object;
}

export function presentList(
  kind: ServedKind,
  objects: readonly AnyObject[],
  metadata: ListMetadata,
  how: Presentation,
): unknown {
  const { as, version = "v1" } = how.representation;
  if (as === "Table") return table(kind, objects, metadata, how, true);
  if (as !== undefined) {
    const items = objects.map((object) => partialMetadata(object, version));
    return { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${version}`, metadata, items };
  }
  return { kind: `${kind.type.kind}List`, apiVersion: apiVersionOf(kind.type), metadata, items: objects };
}

/** The object of a watch event; `first` is true for the first one of the watch. */
export function presentEvent(kind: ServedKind, object: AnyObject, how: Presentation, first: boolean): unknown {
  const { as } = how.representation;
  if (as !== "Table") return presentObject(kind, object, how);
  return table(kind, [object], { resourceVersion: object.metadata.resourceVersion ?? "" }, how, first);
}

/** The object of a BOOKMARK, which keeps the kind the other events have. */
export function presentBookmark(
  kind: ServedKind,
  metadata: { resourceVersion: string; annotations?: Readonly<Record<string, string>> },
  how: Presentation,
): unknown {
  const { as, version = "v1" } = how.representation;
  // A Table has list metadata, which has no annotations; upstream puts the bookmark itself into a row instead.
  if (as === "Table") {
    const rows = [
      { cells: [], object: { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata } },
    ];
    const { resourceVersion } = metadata;
    return {
      kind: "Table",
      apiVersion: `meta.k8s.io/${version}`,
      metadata: { resourceVersion },
      columnDefinitions: [],
      rows: metadata.annotations === undefined ? [] : rows,
    };
  }
  if (as !== undefined) return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata };
  return { kind: kind.type.kind, apiVersion: apiVersionOf(kind.type), metadata };
}

function table(
  kind: ServedKind,
  objects: readonly AnyObject[],
  metadata: object,
  how: Presentation,
  withColumns: boolean,
): unknown {
  const { includeObject, now, representation } = how;
  const version = representation.version ?? "v1";
  return tableOf(kind, { objects, now, metadata: { ...metadata }, includeObject, version, withColumns });
}
