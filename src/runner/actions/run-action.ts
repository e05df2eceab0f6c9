/** `uses:` steps: finds the action, fills its inputs, runs its stages. */
import { join } from "node:path";
import type { ContextObject, StepDefinition } from "#workflows";
import { StepFailure } from "../errors.ts";
import { fillRecord, fillTemplate } from "../steps/contexts.ts";
import { runStepProgram } from "../steps/run-program.ts";
import type { JobStatus } from "../job/job.ts";
import type { FinishedStep, RunningStep, Scope } from "../steps/scope.ts";
import { actionEnvironment, inputVariables } from "../steps/step-env.ts";
import { StepOutput } from "../steps/step-output.ts";
import { ActionCall, type BuiltinAction } from "./builtin-action.ts";
import type { ActionManifest } from "./manifest.ts";
import { resolveAction, type Action } from "./resolve-action.ts";

/** The Actions runner's limit of composite actions inside each other. */
const maxDepth = 9;

/** Runs one step of a composite action; given from outside because steps and actions contain each other. */
export type RunNested = (
  definition: StepDefinition,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
) => Promise<FinishedStep>;

export async function runAction(step: RunningStep, uses: string, runNested: RunNested): Promise<void> {
  const { folders } = step.scope.job.parts;
  const action = await resolveAction(uses, step.scope.place.name, folders.workspace);
  const placed: RunningStep = { ...step, scope: { ...step.scope, place: action.place } };
  const given = fillRecord(step.scope, step.definition.with ?? {}, step.env);
  for (const name of action.kind === "builtin" ? (action.builtin.sensitive ?? []) : []) {
    step.scope.job.parts.masker.add(given[name] ?? "");
  }
  announce(step, uses, given);
  if (action.kind === "builtin") return await runBuiltin(placed, action.builtin, given);
  const inputs = inputsOf(placed, action.manifest, given);
  if (action.manifest.kind === "javascript") return await runJavascript(placed, action, action.manifest, inputs);
  return await runComposite(placed, action, action.manifest, inputs, runNested);
}

function announce(step: RunningStep, uses: string, given: Readonly<Record<string, string>>): void {
  const inputs = Object.entries(given).map(([name, value]) => `  ${name}: ${value.split("\n").join("\n    ")}`);
  const env = Object.entries({ ...Object.fromEntries(step.scope.job.env), ...step.env });
  const variables = env.map(([name, value]) => `  ${name}: ${value.split("\n").join("\n    ")}`);
  const lines = [
    ...(inputs.length > 0 ? ["with:", ...inputs] : []),
    ...(variables.length > 0 ? ["env:", ...variables] : []),
  ];
  step.output.group(`Run ${uses}`, lines);
  step.output.flush();
}

async function runBuiltin(
  step: RunningStep,
  builtin: BuiltinAction,
  given: Readonly<Record<string, string>>,
): Promise<void> {
  const known = new Map(Object.keys(builtin.inputs).map((name) => [name.toLowerCase(), name]));
  const inputs: Record<string, string> = { ...builtin.inputs };
  for (const [name, value] of Object.entries(given)) {
    const found = known.get(name.toLowerCase());
    if (found === undefined) {
      step.output.warning(`Unexpected input "${name}": valid inputs are ${Object.keys(builtin.inputs).join(", ")}`);
    } else if (value !== "") inputs[found] = value;
  }
  const { post } = builtin;
  if (post !== undefined) {
    addPost(step, builtin.postIf ?? "always()", async (again) => await post(new ActionCall(again, inputs)));
  }
  await builtin.main(new ActionCall(step, inputs));
}

/** Given inputs over defaults; defaults may read contexts. */
function inputsOf(
  step: RunningStep,
  manifest: ActionManifest,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const values = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  const inputs: Record<string, string> = {};
  for (const input of manifest.inputs) {
    const value = values.get(input.name.toLowerCase());
    values.delete(input.name.toLowerCase());
    if (value !== undefined) inputs[input.name] = value;
    else if (input.default !== undefined) inputs[input.name] = fillTemplate(step.scope, input.default, step.env);
    else inputs[input.name] = "";
  }
  for (const name of values.keys()) {
    const valid = manifest.inputs.map((input) => input.name).join(", ");
    step.output.warning(`Unexpected input "${name}": valid inputs are ${valid === "" ? "none" : valid}`);
  }
  return inputs;
}

function addPost(step: RunningStep, condition: string, run: (step: RunningStep) => Promise<void>): void {
  step.scope.job.posts.push({ name: step.name, condition, step, run });
}

async function runJavascript(
  step: RunningStep,
  action: Action & { kind: "files" },
  manifest: ActionManifest & { kind: "javascript" },
  inputs: Readonly<Record<string, string>>,
): Promise<void> {
  const { folders, runner } = step.scope.job.parts;
  const stage = async (running: RunningStep, file: string): Promise<void> => {
    const state = [...running.state].map(([name, value]) => [`STATE_${name}`, value]);
    await runStepProgram(running, {
      program: runner.nodePath,
      args: [join(action.folder, file)],
      cwd: folders.workspace,
      env: {
        ...actionEnvironment(running),
        ...inputVariables(inputs),
        ...(Object.fromEntries(state) as Record<string, string>),
      },
    });
  };
  const { post } = manifest;
  if (post !== undefined) addPost(step, manifest.postIf, async (again) => await stage(again, post));
  await stage(step, manifest.main);
}

async function runComposite(
  step: RunningStep,
  action: Action & { kind: "files" },
  manifest: ActionManifest & { kind: "composite" },
  inputs: ContextObject,
  runNested: RunNested,
): Promise<void> {
  if (step.scope.depth >= maxDepth) {
    throw new StepFailure(
      `Composite actions are nested over ${maxDepth} deep: "${manifest.name}" would be one too many`,
    );
  }
  let status: JobStatus = "success";
  const scope: Scope = {
    job: step.scope.job,
    inputs,
    steps: new Map(),
    env: step.env,
    place: action.place,
    depth: step.scope.depth + 1,
    status: () => status,
    markFailed: () => void (status = "failure"),
  };
  for (const definition of manifest.steps) {
    const finished = await runNested(definition, scope, new StepOutput(step.output.target), step.stop);
    if (finished.conclusion === "cancelled") step.stop.throwIfAborted();
  }
  for (const [name, template] of Object.entries(manifest.outputs))
    step.outputs.set(name, fillTemplate(scope, template));
  if (scope.status() === "failure") throw new StepFailure(`A step of the action "${manifest.name}" failed`);
}
