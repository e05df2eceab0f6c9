/** The kinds that are built in, one line each; the order is that of `kubectl api-resources`. CRDs add theirs at run time. */
import { analysisRunKind, analysisTemplateKind, clusterAnalysisTemplateKind } from "./argo/analysis-kinds.ts";
import { rolloutKind } from "./argo/rollout-kind.ts";
import type { KindDefinition } from "./meta/kind.ts";

export const builtinKinds: readonly KindDefinition[] = [
  rolloutKind,
  analysisTemplateKind,
  clusterAnalysisTemplateKind,
  analysisRunKind,
];
