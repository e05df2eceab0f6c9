import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { type TrafficSplit, trafficSplits } from "./traffic-split.ts";

export const trafficSplitKind = defineKind<TrafficSplit>({
  type: trafficSplits,
  singular: "trafficsplit",
  shortNames: ["split"],
  status: true,
  generation: true,
  fields: ["spec", "status"],
  validate({ spec }) {
    const weights = spec?.weights;
    if (!Array.isArray(weights)) return [{ path: "spec.weights", message: "Required value" }];
    const problems: Problem[] = weights.flatMap(({ podTemplateHash, weight }, index) => {
      const path = `spec.weights[${index}]`;
      const found: Problem[] = [];
      if (typeof podTemplateHash !== "string" || podTemplateHash === "") {
        found.push({ path: `${path}.podTemplateHash`, message: "Required value" });
      }
      if (typeof weight !== "number" || !(weight >= 0 && weight <= 100)) {
        const message = `Invalid value: ${JSON.stringify(weight)}: must be between 0 and 100`;
        found.push({ path: `${path}.weight`, message });
      }
      return found;
    });
    const sum = weights.reduce((total, { weight }) => total + Number(weight), 0);
    if (problems.length === 0 && Math.abs(sum - 100) > 1e-9) {
      problems.push({ path: "spec.weights", message: `Invalid value: the weights add up to ${sum}: must be 100` });
    }
    const hashes = new Set(weights.map(({ podTemplateHash }) => podTemplateHash));
    if (hashes.size < weights.length) {
      problems.push({ path: "spec.weights", message: "Duplicate value: each podTemplateHash may stand once" });
    }
    return problems;
  },
  columns: [
    {
      name: "Weights",
      cell: ({ spec }) => spec.weights.map(({ podTemplateHash, weight }) => `${podTemplateHash}:${weight}`).join(","),
    },
    { name: "Observed", type: "integer", cell: ({ status }) => status?.observedGeneration ?? 0 },
  ],
});
