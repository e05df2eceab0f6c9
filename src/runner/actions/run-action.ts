/** `uses:` steps: finds the action, fills its inputs, runs its stages. */
import { fillRecord, fillTemplate } from "../steps/contexts.ts";
import { runningStep } from "../steps/running-step.ts";
import type { StepHost } from "../steps/step-host.ts";
import type { RunningStep } from "../steps/scope.ts";
import { mergeInputs, type MergedInputs } from "./action-inputs.ts";
import { ActionCall, inputsAt, majorVersion, type BuiltinAction } from "./builtin-action.ts";
import type { ActionManifest } from "./manifest.ts";
import { isLocal, resolveAction } from "./resolve-action.ts";
import { compositeScope, runComposite, type RunNested } from "./run-composite.ts";
import { runDocker, runImage } from "./run-docker.ts";
import { runEarlyStage, runJavascript } from "./run-javascript.ts";

export async function runAction(step: RunningStep, uses: string, runNested: RunNested): Promise<void> {
  const action = await resolveAction(uses, step.scope, step.stop);
  const placed: RunningStep = { ...step, scope: { ...step.scope, place: action.place } };
  const given = fillRecord(step.scope, step.definition.with ?? {}, step.env);
  for (const name of action.kind === "builtin" ? (action.builtin.sensitive ?? []) : []) {
    step.scope.job.parts.masker.add(given[name] ?? "");
  }
  if (action.kind === "image") {
    announce(step, uses, given);
    return await runImage(placed, uses, given);
  }
  if (action.kind === "builtin") {
    const merged = builtinInputs(placed, action.builtin, given);
    announce(step, uses, merged.inputs, merged.warnings);
    return await runBuiltin(placed, action.builtin, merged);
  }
  const { manifest } = action;
  const { inputs, warnings } = manifestInputs(placed, manifest, given);
  announce(step, uses, inputs, warnings);
  if (manifest.kind === "javascript") return await runJavascript(placed, { action, manifest, inputs });
  if (manifest.kind === "docker") return await runDocker(placed, { folder: action.folder, manifest, inputs });
  return await runComposite(placed, action, manifest, inputs, runNested);
}

/** What the action does before the first step of the job; of a composite one, what those inside it do. */
export async function runActionEarly(step: RunningStep, uses: string): Promise<void> {
  const action = await resolveAction(uses, step.scope, step.stop);
  if (action.kind !== "files") return;
  const placed: RunningStep = { ...step, scope: { ...step.scope, place: action.place } };
  const given = fillRecord(step.scope, step.definition.with ?? {}, step.env);
  const { manifest } = action;
  const { inputs } = manifestInputs(placed, manifest, given);
  if (manifest.kind === "javascript") return await runEarlyStage(placed, { action, manifest, inputs });
  if (manifest.kind === "docker") return;
  const scope = compositeScope(placed, action, inputs);
  for (const definition of manifest.steps) {
    if (definition.uses === undefined || isLocal(definition.uses)) continue;
    await runActionEarly(runningStep(definition, scope, placed.output, placed.stop), definition.uses);
  }
}

function announce(
  step: RunningStep,
  uses: string,
  values: Readonly<Record<string, string>>,
  warnings: readonly string[] = [],
): void {
  for (const warning of warnings) step.output.warning(warning);
  const inputs = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `  ${name}: ${value.split("\n").join("\n    ")}`);
  const env = Object.entries({ ...Object.fromEntries(step.scope.job.env), ...step.env });
  const variables = env.map(([name, value]) => `  ${name}: ${value.split("\n").join("\n    ")}`);
  const lines = [
    ...(inputs.length > 0 ? ["with:", ...inputs] : []),
    ...(variables.length > 0 ? ["env:", ...variables] : []),
  ];
  step.output.group(`Run ${uses}`, lines);
  step.output.flush();
}

/** By what the version of the official action takes that the step names. */
function builtinInputs(
  step: RunningStep,
  builtin: BuiltinAction,
  given: Readonly<Record<string, string>>,
): MergedInputs {
  const known = inputsAt(builtin, majorVersion(step.scope.place.ref));
  return mergeInputs(known, given, (input) => input.default);
}

/** Without what this version does not know, which is as if nobody had said it. */
function valuesFor(step: RunningStep, builtin: BuiltinAction, { inputs, given }: MergedInputs): Record<string, string> {
  const known = new Set(inputsAt(builtin, majorVersion(step.scope.place.ref)).map(({ name }) => name));
  const { host } = step.scope.job;
  const entries = Object.entries(builtin.inputs).map(([name, usual]) => {
    const value = known.has(name) ? (inputs[name] ?? usual) : usual;
    return [name, given.has(name) ? onMachine(value, host) : value];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

async function runBuiltin(step: RunningStep, builtin: BuiltinAction, merged: MergedInputs): Promise<void> {
  const { post } = builtin;
  const { given } = merged;
  const inputs = valuesFor(step, builtin, merged);
  if (post !== undefined) {
    const run = async (again: RunningStep): Promise<void> => await post(new ActionCall(again, inputs, given));
    step.scope.job.posts.push({ name: step.name, condition: builtin.postIf ?? "always()", step, run });
  }
  const before = new Set(step.scope.job.paths);
  await builtin.main(new ActionCall(step, inputs, given));
  warnOfPaths(step, builtin.name, before);
}

/** Built-in actions run beside the job's container: paths of it in their inputs mean those of the machine. */
function onMachine(value: string, host: StepHost): string {
  if (host.kind === "machine") return value;
  return value
    .split("\n")
    .map((line) => host.outside(line))
    .join("\n");
}

function warnOfPaths(step: RunningStep, name: string, before: ReadonlySet<string>): void {
  const { host, paths } = step.scope.job;
  if (host.kind === "machine") return;
  for (const path of paths) {
    if (before.has(path) || host.shows(path)) continue;
    step.output.warning(
      `"${name}" found what it looked for in ${path}, a folder of the machine that the job's container does not have: use an image that brings the tool, or put it into the runner's tool cache`,
    );
  }
}

function manifestInputs(
  step: RunningStep,
  manifest: ActionManifest,
  given: Readonly<Record<string, string>>,
): MergedInputs {
  const defaultOf = ({ default: text }: { readonly default?: string }): string =>
    text === undefined ? "" : fillTemplate(step.scope, text, step.env);
  return mergeInputs(manifest.inputs, given, defaultOf, manifest.kind === "docker" ? ["entryPoint", "args"] : []);
}
