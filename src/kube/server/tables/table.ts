/** Objects as rows for people: the `Table` of meta.k8s.io. Pure. */
import { ageSince, type AnyObject, type PrinterColumn } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";

export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableInput {
  readonly objects: readonly AnyObject[];
  readonly now: Temporal.Instant;
  /** The metadata of the list, or of the watch event. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly includeObject: IncludeObject;
  /** `v1` or `v1beta1` of meta.k8s.io. */
  readonly version: string;
  /** False for all events of a watch but the first, which alone says what the columns are. */
  readonly withColumns: boolean;
}

interface Column extends PrinterColumn {
  readonly format?: string;
}

export function tableOf(kind: ServedKind, input: TableInput): Record<string, unknown> {
  const columns = columnsOf(kind);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${input.version}`,
    metadata: input.metadata,
    columnDefinitions: input.withColumns ? columns.map(definitionOf) : [],
    rows: input.objects.map((object) => ({
      cells: columns.map((column) => cellOf(column, object, input.now)),
      ...includedObject(object, input),
    })),
  };
}

/** The object without what is not metadata. */
export function partialMetadata(object: AnyObject, version = "v1"): Record<string, unknown> {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

const nameColumn: Column = { name: "Name", format: "name", cell: ({ metadata }) => metadata.name };
const ageColumn: Column = { name: "Age", cell: ({ metadata }, now) => ageSince(metadata.creationTimestamp, now) };

/** Upstream puts the columns of `-o wide` behind the age. */
function columnsOf(kind: ServedKind): readonly Column[] {
  const own = kind.columns ?? [];
  if (kind.ownColumnsOnly === true) return own;
  return [
    nameColumn,
    ...own.filter(({ wide }) => wide !== true),
    ageColumn,
    ...own.filter(({ wide }) => wide === true),
  ];
}

function definitionOf(column: Column): Record<string, unknown> {
  const { name, type = "string", format = "", wide = false } = column;
  return { name, type, format, description: name, priority: wide ? 1 : 0 };
}

/** One odd object must not take the whole list from the reader, so a cell that fails says so in its place. */
function cellOf(column: Column, object: AnyObject, now: Temporal.Instant): string | number {
  try {
    return column.cell(object, now);
  } catch {
    return "<error>";
  }
}

function includedObject(object: AnyObject, input: TableInput): { object?: unknown } {
  switch (input.includeObject) {
    case "None":
      return {};
    case "Metadata":
      return { object: partialMetadata(object, input.version) };
    case "Object":
      return { object };
  }
}
