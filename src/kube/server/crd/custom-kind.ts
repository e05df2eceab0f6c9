/** The kinds a CustomResourceDefinition defines. Pure. */
import { ageSince, type AnyObject, type CustomResourceDefinition, type CustomVersion, type PrinterColumn } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { celProblems } from "./cel-rules.ts";
import { parseJsonPath, readJsonPath } from "./json-path.ts";

/** One for each version that is served; all store under the CRD's name. */
export function customKinds(crd: CustomResourceDefinition): ServedKind[] {
  return crd.spec.versions.filter(({ served }) => served).map((version) => customKind(crd, version));
}

function customKind(crd: CustomResourceDefinition, version: CustomVersion): ServedKind {
  const { group, scope, names } = crd.spec;
  const { status, scale } = version.subresources ?? {};
  return {
    type: { group, version: version.name, kind: names.kind, plural: names.plural, namespaced: scope === "Namespaced" },
    singular: names.singular ?? names.kind.toLowerCase(),
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    status: status !== undefined,
    ...(scale === undefined
      ? {}
      : {
          scale: {
            specReplicas: scale.specReplicasPath,
            statusReplicas: scale.statusReplicasPath,
            ...(scale.labelSelectorPath === undefined ? {} : { selector: scale.labelSelectorPath }),
          },
        }),
    generation: true,
    lockedUpdates: true,
    ...columnsOf(version),
    selectableFields: selectableFields(version),
    resource: crd.metadata.name,
    custom: true,
    schema: version.schema?.openAPIV3Schema,
    message: undefined,
    allRules: true,
    ...deprecationOf(crd, version),
    validate: (object, old) => celProblems(version.schema?.openAPIV3Schema ?? {}, object, old, ""),
  };
}

function deprecationOf(crd: CustomResourceDefinition, version: CustomVersion): Pick<ServedKind, "deprecation"> {
  if (version.deprecated !== true) return {};
  const fallback = `${crd.spec.group}/${version.name} ${crd.spec.names.kind} is deprecated`;
  return { deprecation: version.deprecationWarning ?? fallback };
}

/** With columns of its own a kind has no Age but one it names; the Name it always has. */
function columnsOf(version: CustomVersion): Partial<ServedKind> {
  const declared = version.additionalPrinterColumns ?? [];
  if (declared.length === 0) return {};
  const name: PrinterColumn = { name: "Name", cell: ({ metadata }) => metadata.name };
  return { ownColumnsOnly: true, columns: [name, ...declared.map(columnOf)] };
}

function columnOf(declared: NonNullable<CustomVersion["additionalPrinterColumns"]>[number]): PrinterColumn {
  const path = parseJsonPath(declared.jsonPath);
  const type = declared.type === "integer" || declared.type === "date" ? declared.type : "string";
  function cell(object: AnyObject, now: Temporal.Instant): string | number {
    const values = path === undefined ? [] : readJsonPath(path, object);
    if (values.length === 0) return "";
    if (type === "date") return ageSince(String(values[0]), now);
    if (type === "integer" && typeof values[0] === "number") return values[0];
    return values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(",");
  }
  // A date is shown as its age, which is text.
  const shownType = type === "date" ? "string" : type;
  return { name: declared.name, type: shownType, wide: (declared.priority ?? 0) > 0, cell };
}

function selectableFields(version: CustomVersion): Record<string, (object: AnyObject) => string> {
  const entries = (version.selectableFields ?? []).flatMap(({ jsonPath }) => {
    const path = parseJsonPath(jsonPath);
    if (path === undefined) return [];
    const read = (object: AnyObject): string => {
      const [value] = readJsonPath(path, object);
      return typeof value === "string" ? value : JSON.stringify(value ?? "");
    };
    return [[jsonPath.replace(/^\./, ""), read] as const];
  });
  return Object.fromEntries(entries);
}
