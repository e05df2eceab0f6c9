/** One step from its condition to its result, at the top of a job or inside a composite action. */
import { isAbort } from "#lib";
import { ExpressionFailure, type StepDefinition } from "#workflows";
import { runAction, runActionEarly } from "../actions/run-action.ts";
import { StepFailure, StepStopped, ToldFailure } from "../errors.ts";
import { conditionHolds, fillBoolean, fillNumber, fillRecord } from "./contexts.ts";
import { runScript } from "./run-script.ts";
import { runningStep } from "./running-step.ts";
import type { FinishedStep, Scope, StepResult } from "./scope.ts";
import { stepName } from "./step-name.ts";
import type { StepOutput } from "./step-output.ts";

const skipped: FinishedStep = { outputs: {}, outcome: "skipped", conclusion: "skipped" };

/** Whether the step is to run; a condition that cannot be evaluated is its failure. */
export function decideStep(definition: StepDefinition, scope: Scope): "run" | "skip" | { readonly failure: string } {
  try {
    return conditionHolds(scope, definition.if, fillRecord(scope, definition.env ?? {})) ? "run" : "skip";
  } catch (error) {
    if (error instanceof ExpressionFailure || error instanceof StepFailure) return { failure: error.message };
    throw error;
  }
}

export async function executeStep(
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
): Promise<FinishedStep> {
  const decision = decideStep(definition, scope);
  if (decision === "skip") return finish(definition, scope, skipped);
  const outputs = new Map<string, string>();
  let outcome: StepResult = "success";
  if (typeof decision === "object") {
    output.error(decision.failure);
    outcome = "failure";
  } else outcome = await guarded(output, async () => await runWithin(definition, scope, output, outputs, stop));
  output.flush();
  const forgiven = outcome === "failure" && continues(definition, scope, output);
  return finish(definition, scope, {
    outputs: Object.fromEntries(outputs),
    outcome,
    conclusion: forgiven ? "success" : outcome,
  });
}

/** Runs and turns what is thrown into a result, with its reason in the log. Bugs are thrown on. */
export async function guarded(output: StepOutput, run: () => Promise<void>): Promise<StepResult> {
  try {
    await run();
    return "success";
  } catch (error) {
    if (error instanceof StepStopped) {
      output.error(error.message);
      return error.kind === "timed-out" ? "failure" : "cancelled";
    }
    if (isAbort(error)) {
      output.error("The operation was canceled.");
      return "cancelled";
    }
    if (!(error instanceof ToldFailure)) output.error(error instanceof Error ? error.message : String(error));
    return "failure";
  } finally {
    output.flush();
  }
}

/** What the step's action does before the first step of the job. */
export async function executeEarly(
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
): Promise<StepResult> {
  return await guarded(output, async () => {
    await runActionEarly(runningStep(definition, scope, output, stop), definition.uses ?? "");
  });
}

async function runWithin(
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  outputs: Map<string, string>,
  stop: AbortSignal,
): Promise<void> {
  const { clock } = scope.job.parts;
  const name = stepName(definition, scope);
  const minutes = fillNumber(scope, definition.timeoutMinutes);
  const timeout = new AbortController();
  using _timer =
    minutes === undefined || minutes <= 0
      ? undefined
      : clock.schedule(minutes * 60_000, () =>
          timeout.abort(new StepStopped("timed-out", `The action '${name}' has timed out after ${minutes} minutes.`)),
        );
  const step = { ...runningStep(definition, scope, output, AbortSignal.any([stop, timeout.signal])), outputs };
  if (definition.uses === undefined) await runScript(step);
  else await runAction(step, definition.uses, executeStep);
}

function continues(definition: StepDefinition, scope: Scope, output: StepOutput): boolean {
  try {
    return fillBoolean(scope, definition.continueOnError);
  } catch (error) {
    output.error(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function finish(definition: StepDefinition, scope: Scope, finished: FinishedStep): FinishedStep {
  if (definition.id !== undefined) scope.steps.set(definition.id, finished);
  if (finished.conclusion === "failure") scope.markFailed();
  return finished;
}
