/** A kind with every sort of list and map, and an object that is written and applied to without a server. */
import type { AnyObject, CustomResourceDefinition } from "#api";
import { compareObjects } from "./compare.ts";
import { customKinds } from "../crd/custom-kind.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { Schema } from "../schema/schema.ts";
import type { ManagedEntry } from "./managed-entry.ts";
import { entriesAfterUpdate } from "./ownership.ts";
import { type ApplyPlan, planApply } from "./plan-apply.ts";

const text: Schema = { type: "string" };
const item: Schema = {
  type: "object",
  properties: { name: text, port: { type: "integer" }, protocol: { type: "string", default: "TCP" }, note: text },
};

const specSchema: Schema = {
  type: "object",
  properties: {
    count: { type: "integer" },
    inner: { type: "object", properties: { x: text, y: text } },
    map: { type: "object", additionalProperties: text },
    whole: { type: "object", additionalProperties: text, "x-kubernetes-map-type": "atomic" },
    tags: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    steps: { type: "array", items: text },
    items: { type: "array", items: item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
    ports: {
      type: "array",
      items: item,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
};

export const thingKind: ServedKind = kindWith({ type: "object", properties: { spec: specSchema } });

/** Nobody said what is in it. */
export const looseKind: ServedKind = { ...kindWith(undefined), schema: undefined };

function kindWith(openAPIV3Schema: Schema | undefined): ServedKind {
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "things", kind: "Thing" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          ...(openAPIV3Schema === undefined ? {} : { schema: { openAPIV3Schema } }),
        },
      ],
    },
  };
  const [kind] = customKinds(crd as unknown as CustomResourceDefinition);
  if (kind === undefined) throw new Error("the definition serves no version");
  return kind;
}

export interface State {
  readonly object: AnyObject | undefined;
  readonly entries: readonly ManagedEntry[];
}

export const nothing: State = { object: undefined, entries: [] };

export function thing(fields: Record<string, unknown>, metadata: Record<string, unknown> = {}): AnyObject {
  return {
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "t", namespace: "n", ...metadata },
    ...fields,
  };
}

export interface Act {
  readonly kind?: ServedKind;
  readonly force?: boolean;
  readonly subresource?: string;
  readonly time?: string;
}

export function plan(state: State, manager: string, asked: AnyObject, act: Act = {}): ApplyPlan {
  const { kind = thingKind, force = false, subresource, time = "t1" } = act;
  const writer = { manager, subresource, time };
  return planApply({ kind, live: state.object, entries: state.entries, asked, writer, force });
}

/** Throws for a conflict. */
export function apply(state: State, manager: string, asked: AnyObject, act: Act = {}): State {
  const planned = plan(state, manager, asked, act);
  if (planned.outcome === "apply") return planned;
  throw new Error(`conflict: ${planned.conflicts.map(({ path }) => path.join("/")).join(" ")}`);
}

export function update(state: State, manager: string, object: AnyObject, act: Act = {}): State {
  const { kind = thingKind, subresource, time = "t1" } = act;
  const writer = { manager, subresource, time };
  return {
    object,
    entries: entriesAfterUpdate(kind, state.object, compareObjects(kind, state.object, object), {
      entries: state.entries,
      writer,
    }),
  };
}
