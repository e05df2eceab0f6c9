import { defineKind } from "../meta/kind.ts";
import { type ConfigMap, configMaps } from "./core-types.ts";
import { dataProblems } from "./data-rules.ts";

export const configMapKind = defineKind<ConfigMap>({
  type: configMaps,
  singular: "configmap",
  shortNames: ["cm"],
  status: false,
  generation: false,
  fields: ["data", "binaryData", "immutable"],
  validate: dataProblems,
  columns: [
    {
      name: "Data",
      type: "integer",
      cell: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
  ],
});
