/**
 * The kinds that upstream brings as CRDs and Tidegate itself, as `kubectl explain` shows them. They are judged by their
 * definitions' `validate`, with words of their own, and unknown fields in them are kept; so these shapes are for readers
 * only, and no write ever sees them.
 */
import type { Schema } from "../../schema/schema.ts";
import { analysisRunShape, analysisTemplateShape, clusterAnalysisTemplateShape } from "./analysis-shape.ts";
import { applicationShape, appProjectShape } from "./application-shape.ts";
import { rolloutShape, trafficSplitShape } from "./rollout-shape.ts";

/** By group and kind. */
export const ownShapes: ReadonlyMap<string, Schema> = new Map([
  ["argoproj.io/Rollout", rolloutShape],
  ["argoproj.io/AnalysisTemplate", analysisTemplateShape],
  ["argoproj.io/ClusterAnalysisTemplate", clusterAnalysisTemplateShape],
  ["argoproj.io/AnalysisRun", analysisRunShape],
  ["argoproj.io/Application", applicationShape],
  ["argoproj.io/AppProject", appProjectShape],
  ["tidegate.dev/TrafficSplit", trafficSplitShape],
]);
