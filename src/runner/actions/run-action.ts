/** `uses:` steps: finds the action, fills its inputs, runs its stages. */
import { fillRecord, fillTemplate } from "../steps/contexts.ts";
import { runningStep } from "../steps/running-step.ts";
import type { StepHost } from "../steps/step-host.ts";
import type { RunningStep } from "../steps/scope.ts";
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
  announce(step, uses, given);
  if (action.kind === "image") return await runImage(placed, uses, given);
  if (action.kind === "builtin") return await runBuiltin(placed, action.builtin, given);
  const { manifest } = action;
  const inputs = inputsOf(placed, manifest, given);
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
  const inputs = inputsOf(placed, manifest, given);
  if (manifest.kind === "javascript") return await runEarlyStage(placed, { action, manifest, inputs });
  if (manifest.kind === "docker") return;
  const scope = compositeScope(placed, action, inputs);
  for (const definition of manifest.steps) {
    if (definition.uses === undefined || isLocal(definition.uses)) continue;
    await runActionEarly(runningStep(definition, scope, placed.output, placed.stop), definition.uses);
  }
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
  const names = Object.keys(inputsAt(builtin, majorVersion(step.scope.place.ref)));
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const inputs: Record<string, string> = { ...builtin.inputs };
  for (const [name, value] of Object.entries(given)) {
    const found = known.get(name.toLowerCase());
    if (found === undefined) {
      step.output.warning(`Unexpected input "${name}": valid inputs are ${names.join(", ")}`);
    } else if (value !== "") inputs[found] = onMachine(value, step.scope.job.host);
  }
  const { post } = builtin;
  if (post !== undefined) {
    const run = async (again: RunningStep): Promise<void> => await post(new ActionCall(again, inputs));
    step.scope.job.posts.push({ name: step.name, condition: builtin.postIf ?? "always()", step, run });
  }
  const before = new Set(step.scope.job.paths);
  await builtin.main(new ActionCall(step, inputs));
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
