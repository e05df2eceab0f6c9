/** Actions that are containers: their stages, as those of JavaScript actions, around one image. */
import { containersOf } from "../containers/containers-of.ts";
import { runDockerStage } from "../containers/run-docker-action.ts";
import { shellWords } from "../containers/shell-words.ts";
import { fillRecord, fillTemplate } from "../steps/contexts.ts";
import type { RunningStep } from "../steps/scope.ts";
import { actionEnvironment, inputVariables } from "../steps/step-env.ts";
import type { ActionManifest } from "./manifest.ts";

type DockerManifest = ActionManifest & { readonly kind: "docker" };

interface DockerAction {
  readonly folder: string;
  readonly manifest: DockerManifest;
  readonly inputs: Readonly<Record<string, string>>;
}

/** The stage before the main one runs right before it: an image has to be made first in any case. */
export async function runDocker(step: RunningStep, action: DockerAction): Promise<void> {
  const { manifest } = action;
  if (manifest.postEntrypoint !== undefined) {
    const run = async (again: RunningStep): Promise<void> => await runStage(again, action, manifest.postEntrypoint);
    step.scope.job.posts.push({ name: step.name, condition: manifest.postIf, step, run });
  }
  if (manifest.preEntrypoint !== undefined) await runStage(step, action, manifest.preEntrypoint);
  // What the action says of itself comes first, as on GitHub.
  await runStage(step, action, manifest.entrypoint || inputNamed(action.inputs, "entrypoint"));
}

async function runStage(
  step: RunningStep,
  { folder, manifest, inputs }: DockerAction,
  entrypoint: string | undefined,
): Promise<void> {
  const containers = await containersOf(
    step.scope.job,
    `the action "${manifest.name}", which is a container`,
    step.stop,
  );
  const scope = { ...step.scope, inputs };
  const state = [...step.state].map(([name, value]) => [`STATE_${name}`, value]);
  await runDockerStage(step, containers, {
    image: manifest.image,
    folder,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    args:
      manifest.args === undefined
        ? shellWords(inputNamed(inputs, "args"))
        : manifest.args.map((arg) => fillTemplate(scope, arg, step.env)),
    env: {
      ...actionEnvironment(step),
      ...inputVariables(inputs),
      ...unsetVariables(step, fillRecord(scope, manifest.env, step.env)),
      ...(Object.fromEntries(state) as Record<string, string>),
    },
  });
}

function inputNamed(inputs: Readonly<Record<string, string>>, wanted: string): string {
  return Object.entries(inputs).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
}

/** What the workflow sets stays as it is: the action's own values are for where it says nothing. */
function unsetVariables(step: RunningStep, own: Readonly<Record<string, string>>): Record<string, string> {
  const { env } = step.scope.job;
  const entries = Object.entries(own).filter(([name]) => !env.has(name) && step.env[name] === undefined);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** `uses: docker://image`, with the inputs `entrypoint` and `args`. */
export async function runImage(
  step: RunningStep,
  uses: string,
  given: Readonly<Record<string, string>>,
): Promise<void> {
  const containers = await containersOf(step.scope.job, `"${uses}"`, step.stop);
  const entrypoint = inputNamed(given, "entrypoint");
  await runDockerStage(step, containers, {
    image: uses,
    ...(entrypoint === "" ? {} : { entrypoint }),
    args: shellWords(inputNamed(given, "args")),
    env: { ...actionEnvironment(step), ...inputVariables(given) },
  });
}
