/** A step as it begins to run. */
import type { StepDefinition } from "#workflows";
import { fillRecord } from "./contexts.ts";
import type { RunningStep, Scope } from "./scope.ts";
import { stepName } from "./step-name.ts";
import type { StepOutput } from "./step-output.ts";

export function runningStep(
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
): RunningStep {
  const place = { ...scope.place, name: definition.contextName ?? definition.id ?? actionName(definition) };
  const key = `${scope.key}/${place.name}`;
  return {
    definition,
    scope: { ...scope, place },
    name: stepName(definition, scope),
    key,
    env: { ...scope.env, ...fillRecord(scope, definition.env ?? {}) },
    output,
    outputs: new Map(),
    state: scope.job.parts.actions.stateOf(key),
    stop,
  };
}

/** `github.action` of a step without a name of its own, in jobs of earlier releases. */
function actionName({ uses, at }: StepDefinition): string {
  const what = uses === undefined ? "run" : uses.replace(/@.*$/, "").replaceAll(/[^\w]/g, "_");
  return `__${what}_${at.line}_${at.column}`;
}
