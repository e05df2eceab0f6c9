/** Scalars with a tag of their own, e.g. `!!int "3"`: read by it or refused, as GitHub does. */
import type { Scalar } from "yaml";

const prefix = "tag:yaml.org,2002:";

type Tagged =
  | { readonly value: null | boolean | number | string; readonly problem?: never }
  | { readonly problem: string; readonly value?: never };

/** Undefined when the scalar has no tag, or one that says nothing. */
export function taggedValue(node: Scalar): Tagged | undefined {
  const { tag } = node;
  if (tag === undefined || tag === "!") return undefined;
  const type = tag.startsWith(prefix) ? tag.slice(prefix.length) : "";
  const text = node.source ?? "";
  if (type === "str") return { value: text };
  if (!Object.hasOwn(readers, type)) return { problem: `Tag "${tag}" is not one of workflow files. Remove it` };
  if (node.type?.startsWith("QUOTE") === true || node.type?.startsWith("BLOCK") === true) {
    return { problem: `A text in quotes or of several lines cannot be !!${type}. Remove the tag or the quotes` };
  }
  const value = readers[type]?.(text);
  return value === undefined ? { problem: `"${text}" is no !!${type}. Correct it, or remove the tag` } : { value };
}

const readers: Readonly<Record<string, (text: string) => null | boolean | number | undefined>> = {
  null: (text) => (/^(null|Null|NULL|~|)$/.test(text) ? null : undefined),
  bool(text) {
    if (/^(true|True|TRUE)$/.test(text)) return true;
    return /^(false|False|FALSE)$/.test(text) ? false : undefined;
  },
  int: (text) => (/^([-+]?\d+|0x[\da-fA-F]+|0o[0-7]+)$/.test(text) ? Number(text) : undefined),
  float(text) {
    if (/^[-+]?\.(inf|Inf|INF)$/.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
    if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN;
    return /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
  },
};
