/** What an analysis of a rollout asks for: templates found, args given their values. */
import type { AnalysisRunSpec, RolloutAnalysis, TemplateRef } from "#api";
import type { Problem } from "#lib";
import { argumentsOf } from "../analysis/arguments.ts";
import { type FindTemplate, type Made, runSpecOf } from "../analysis/templates.ts";
import type { ObservedRollout } from "./observed.ts";
import type { Situation } from "./situation.ts";
import { stepsOf } from "./steps.ts";

/** The run's spec with the values of now. */
export function analysisSpec(
  { observed, rollout, revisions, draft }: Situation,
  analysis: RolloutAnalysis,
): Made<AnalysisRunSpec> {
  const hashes = { latest: revisions.hash, stable: draft.stableRS ?? "" };
  const args = argumentsOf(analysis.args ?? [], rollout, hashes);
  if (args.kind === "refused") return args;
  return runSpecOf(requestFor(analysis, args.value), findIn(observed));
}

/** What is wrong with the templates that a rollout names: found at once, not in the middle of a release. */
export function analysisProblems(observed: ObservedRollout): Problem[] {
  const { canary } = observed.rollout.spec.strategy;
  const analyses: readonly (readonly [string, RolloutAnalysis | undefined])[] = [
    ...stepsOf(observed.rollout).map((step, index) => [`steps[${index}].analysis`, step.analysis] as const),
    ["analysis", canary?.analysis],
  ];
  return analyses.flatMap(([path, analysis]) => {
    if (analysis === undefined) return [];
    // A value may come from a field that has none before the release: any will do here.
    const args = (analysis.args ?? []).map(({ name, value }) => ({ name, value: value ?? "" }));
    const made = runSpecOf(requestFor(analysis, args), findIn(observed));
    return made.kind === "made" ? [] : [{ path: `spec.strategy.canary.${path}.templates`, message: made.message }];
  });
}

function requestFor(
  analysis: RolloutAnalysis,
  args: Parameters<typeof runSpecOf>[0]["args"],
): Parameters<typeof runSpecOf>[0] {
  return {
    templates: analysis.templates ?? [],
    args,
    ...(analysis.dryRun === undefined ? {} : { dryRun: analysis.dryRun }),
    ...(analysis.measurementRetention === undefined ? {} : { measurementRetention: analysis.measurementRetention }),
  };
}

function findIn({ templates, clusterTemplates }: ObservedRollout): FindTemplate {
  return (ref: TemplateRef) =>
    (ref.clusterScope === true ? clusterTemplates : templates).find(
      (template) => template.metadata.name === ref.templateName,
    );
}
