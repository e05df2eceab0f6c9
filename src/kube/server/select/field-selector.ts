/** The text form of field selectors: `metadata.name=a,spec.nodeName!=b`. A backslash escapes `,`, `=` and itself. */
import type { AnyObject } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { badRequest } from "../refusals.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly negated: boolean;
  readonly value: string;
  readonly read: (object: AnyObject) => string;
}

/** Throws BadRequest when the text is not a selector or names a field the kind cannot be selected by. */
export function parseFieldSelector(text: string, kind: ServedKind): readonly FieldRequirement[] {
  return (text.match(/(?:\\.|[^,\\])+/g) ?? []).map((part) => {
    const match = /^([^=!]+)(==|!=|=)((?:\\.|[^\\=])*)$/.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const field = (match[1] ?? "").trim();
    const value = (match[3] ?? "").replaceAll(/\\(.)/g, "$1");
    return { field, negated: match[2] === "!=", value, read: reader(field, kind) };
  });
}

export function matchesFields(requirements: readonly FieldRequirement[], object: AnyObject): boolean {
  return requirements.every(({ read, value, negated }) => (read(object) === value) !== negated);
}

function reader(field: string, kind: ServedKind): (object: AnyObject) => string {
  if (field === "metadata.name") return (object) => object.metadata.name;
  if (field === "metadata.namespace" && kind.type.namespaced) return (object) => object.metadata.namespace ?? "";
  const own = kind.selectableFields;
  const read = own !== undefined && Object.hasOwn(own, field) ? own[field] : undefined;
  if (read === undefined) throw badRequest(notSelectable(field, kind));
  return read;
}

/** Kinds with fields of their own and kinds with none say it in words of their own upstream. */
function notSelectable(field: string, kind: ServedKind): string {
  if (Object.keys(kind.selectableFields ?? {}).length > 0) return `field label not supported: ${field}`;
  const known = kind.type.namespaced ? '"metadata.name", "metadata.namespace"' : '"metadata.name"';
  return `${JSON.stringify(field)} is not a known field selector: only ${known}`;
}
