import { defineKind } from "../meta/kind.ts";
import {
  analysisRuns,
  analysisTemplates,
  clusterAnalysisTemplates,
  type AnalysisRun,
  type AnalysisTemplate,
} from "./analysis.ts";
import { argumentProblems, ruleProblems, validateMetrics, validateTemplateSpec } from "./analysis-validation.ts";
import { required } from "./field-problem.ts";

export const analysisTemplateKind = defineKind<AnalysisTemplate>({
  type: analysisTemplates,
  singular: "analysistemplate",
  shortNames: ["at"],
  status: false,
  generation: true,
  fields: ["spec"],
  validate: ({ spec }) => validateTemplateSpec(spec),
});

export const clusterAnalysisTemplateKind = defineKind<AnalysisTemplate>({
  type: clusterAnalysisTemplates,
  singular: "clusteranalysistemplate",
  shortNames: ["cat"],
  status: false,
  generation: true,
  fields: ["spec"],
  validate: ({ spec }) => validateTemplateSpec(spec),
});

/** Upstream splits no status here: the controller writes it through the main resource. */
export const analysisRunKind = defineKind<AnalysisRun>({
  type: analysisRuns,
  singular: "analysisrun",
  shortNames: ["ar"],
  status: false,
  generation: true,
  fields: ["spec", "status"],
  validate({ spec }) {
    if (spec === undefined) return [required("spec", "")];
    return [
      ...validateMetrics(spec.metrics ?? [], "spec.metrics"),
      ...argumentProblems(spec.args ?? [], "spec.args"),
      ...ruleProblems(spec.dryRun, "spec.dryRun"),
      ...ruleProblems(spec.measurementRetention, "spec.measurementRetention"),
    ];
  },
  columns: [{ name: "Status", cell: ({ status }) => status?.phase ?? "" }],
});
