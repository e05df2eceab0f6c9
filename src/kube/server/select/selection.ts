import type { AnyObject } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { matchesFields, parseFieldSelector } from "./field-selector.ts";
import { matchesRequirements, parseLabelSelector } from "./label-selector.ts";

export interface SelectionQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Which objects of a kind a list or watch is about. */
export interface Selection {
  readonly namespace: string | undefined;
  /** True when a selector narrows it further than the namespace. */
  readonly selective: boolean;
  readonly matches: (object: AnyObject) => boolean;
}

/** Throws BadRequest for selectors that cannot be understood. */
export function selectionOf(kind: ServedKind, query: SelectionQuery): Selection {
  const labels = parseLabelSelector(query.labelSelector ?? "");
  const fields = parseFieldSelector(query.fieldSelector ?? "", kind);
  const namespace = kind.type.namespaced ? query.namespace : undefined;
  return {
    namespace,
    selective: labels.length + fields.length > 0,
    matches: (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      matchesRequirements(labels, object.metadata.labels) &&
      matchesFields(fields, object),
  };
}
