/** Actions made of steps. */
import type { ContextObject, StepDefinition } from "#workflows";
import { StepFailure } from "../errors.ts";
import type { JobStatus } from "../job/job.ts";
import { fillTemplate } from "../steps/contexts.ts";
import type { FinishedStep, RunningStep, Scope } from "../steps/scope.ts";
import { StepOutput } from "../steps/step-output.ts";
import type { ActionManifest } from "./manifest.ts";
import type { Action } from "./resolve-action.ts";

/** The Actions runner's limit of composite actions inside each other. */
export const maxDepth = 9;

/** Runs one step of a composite action; given from outside because steps and actions contain each other. */
export type RunNested = (
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
) => Promise<FinishedStep>;

export type CompositeManifest = ActionManifest & { readonly kind: "composite" };

/** What the steps of the action see. */
export function compositeScope(
  step: RunningStep,
  action: Action & { readonly kind: "files" },
  inputs: ContextObject,
): Scope {
  let status: JobStatus = "success";
  return {
    job: step.scope.job,
    inputs,
    steps: new Map(),
    env: step.env,
    place: action.place,
    depth: step.scope.depth + 1,
    key: step.key,
    status: () => status,
    markFailed: () => void (status = "failure"),
  };
}

export async function runComposite(
  step: RunningStep,
  action: Action & { readonly kind: "files" },
  manifest: CompositeManifest,
  inputs: ContextObject,
  runNested: RunNested,
): Promise<void> {
  if (step.scope.depth >= maxDepth) {
    throw new StepFailure(
      `Composite actions are nested over ${maxDepth} deep: "${manifest.name}" would be one too many`,
    );
  }
  const scope = compositeScope(step, action, inputs);
  for (const definition of manifest.steps) {
    const finished = await runNested(definition, scope, new StepOutput(step.output.target), step.stop);
    if (finished.conclusion === "cancelled") step.stop.throwIfAborted();
  }
  for (const [name, template] of Object.entries(manifest.outputs))
    step.outputs.set(name, fillTemplate(scope, template));
  if (scope.status() === "failure") throw new StepFailure(`A step of the action "${manifest.name}" failed`);
}
