/** ResourceQuota and LimitRange: kept and shown; nothing here enforces them. */
import { deepEqual, type Problem } from "#lib";
import { invalid, unsupported } from "../argo/field-problem.ts";
import { defineKind } from "../meta/kind.ts";
import type { KubeObject } from "../meta/object.ts";
import type { ResourceType } from "../meta/resource-type.ts";

type Amounts = Record<string, string>;

export interface ResourceQuota extends KubeObject {
  spec?: { hard?: Amounts; scopes?: string[]; scopeSelector?: unknown };
  status?: { hard?: Amounts; used?: Amounts };
}

interface LimitItem {
  type: string;
  max?: Amounts;
  min?: Amounts;
  default?: Amounts;
  defaultRequest?: Amounts;
  maxLimitRequestRatio?: Amounts;
}

export interface LimitRange extends KubeObject {
  spec?: { limits?: LimitItem[] };
}

const resourceQuotas: ResourceType<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};
const limitRanges: ResourceType<LimitRange> = {
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  namespaced: true,
};

export const resourceQuotaKind = defineKind<ResourceQuota>({
  type: resourceQuotas,
  singular: "resourcequota",
  shortNames: ["quota"],
  status: true,
  generation: false,
  setDefaults(quota) {
    quota.spec ??= {};
    quota.status ??= {};
  },
  validate({ spec }, old) {
    if (old === undefined || deepEqual(spec?.scopes ?? [], old.spec?.scopes ?? [])) return [];
    return [invalid("spec.scopes", spec?.scopes ?? null, "field is immutable")];
  },
  columns: [
    { name: "Request", cell: (quota) => usageText(quota, false) },
    { name: "Limit", cell: (quota) => usageText(quota, true) },
  ],
});

/** `cpu: 1/4, pods: 2/10`; limits stand apart from requests. */
function usageText({ status }: ResourceQuota, limits: boolean): string {
  const hard = Object.entries(status?.hard ?? {}).filter(([name]) => name.startsWith("limits.") === limits);
  return hard
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}: ${status?.used?.[name] ?? "0"}/${amount}`)
    .join(", ");
}

const limitTypes = ["Container", "PersistentVolumeClaim", "Pod"];

export const limitRangeKind = defineKind<LimitRange>({
  type: limitRanges,
  singular: "limitrange",
  shortNames: ["limits"],
  status: false,
  generation: false,
  setDefaults({ spec }) {
    // The schema wants a list, and upstream lets it be empty.
    if (spec !== undefined) spec.limits ??= [];
    for (const item of spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      // What may be used at most is the limit by default, what a container gets by default it also asks for.
      if (item.max !== undefined) item.default = { ...item.max, ...item.default };
      if (item.default !== undefined || item.min !== undefined)
        item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
    }
  },
  validate({ spec }) {
    return (spec?.limits ?? []).flatMap(({ type }, index): Problem[] =>
      limitTypes.includes(type) || type.includes("/")
        ? []
        : [unsupported(`spec.limits[${index}].type`, type, limitTypes)],
    );
  },
  ownColumnsOnly: true,
  columns: [
    { name: "Name", cell: ({ metadata }) => metadata.name },
    { name: "Created At", type: "date", cell: ({ metadata }) => metadata.creationTimestamp ?? "" },
  ],
});
