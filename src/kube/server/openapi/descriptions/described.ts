/**
 * Upstream's shapes with what `kubectl explain` says of them. The texts are ours, and tell where Tidegate differs; they
 * are put in when documents are made, so that validation and defaulting never carry them. Pure.
 */
import type { Schema } from "../../schema/schema.ts";
import { autoscalingDescriptions } from "./autoscaling.ts";
import { clusterDescriptions } from "./cluster.ts";
import { containerDescriptions } from "./container.ts";
import { coreDescriptions } from "./core.ts";
import { jsonSchemaDescriptions } from "./json-schema.ts";
import { metaDescriptions } from "./meta.ts";
import { placementDescriptions } from "./placement.ts";
import { podDescriptions } from "./pod.ts";
import { serviceDescriptions } from "./service.ts";
import type { Descriptions } from "./shared.ts";
import { storageDescriptions } from "./storage.ts";
import { volumeDescriptions } from "./volume.ts";
import { vendorVolumeDescriptions } from "./volume-vendors.ts";
import { workloadDescriptions } from "./workload.ts";

/** By the whole names of types. */
export const descriptions: Descriptions = {
  ...metaDescriptions,
  ...podDescriptions,
  ...containerDescriptions,
  ...volumeDescriptions,
  ...vendorVolumeDescriptions,
  ...placementDescriptions,
  ...coreDescriptions,
  ...serviceDescriptions,
  ...storageDescriptions,
  ...workloadDescriptions,
  ...autoscalingDescriptions,
  ...clusterDescriptions,
  ...jsonSchemaDescriptions,
};

/** What every object has. */
export const objectFields: Readonly<Record<string, string>> = {
  apiVersion: "Group and version of the kind.",
  kind: "What kind of object it is.",
  metadata: "Name, labels and what else all kinds have in common.",
  spec: "What is wanted.",
  status: "What there is; written by the system.",
};

/** `name`: of the type, as `io.k8s.api.core.v1.Pod`. A text of the type itself counts more than that of all objects. */
export function described(name: string, schema: Schema): Schema {
  const own = descriptions[name] ?? {};
  const texts = { ...(isObjectSchema(schema) ? objectFields : {}), ...own };
  const { "": description } = own;
  const { properties } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...schema,
    ...(properties === undefined ? {} : { properties: withTexts(properties, texts) }),
  };
}

/** DeleteOptions and Status are written as objects too: a kind stands in them. */
function isObjectSchema({ properties = {} }: Schema): boolean {
  return Object.hasOwn(properties, "apiVersion") && Object.hasOwn(properties, "kind");
}

function withTexts(
  properties: Readonly<Record<string, Schema>>,
  texts: Readonly<Record<string, string>>,
): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => {
      const description = Object.hasOwn(texts, field) ? texts[field] : undefined;
      return [field, description === undefined ? schema : { description, ...schema }];
    }),
  );
}
