/** Actions that Node.js runs: an early, a main and a late stage, which keep state for each other. */
import { join } from "node:path";
import { StepFailure, ToldFailure } from "../errors.ts";
import { conditionHolds } from "../steps/contexts.ts";
import { runStepProgram } from "../steps/run-program.ts";
import type { RunningStep } from "../steps/scope.ts";
import { actionEnvironment, inputVariables } from "../steps/step-env.ts";
import type { ActionManifest } from "./manifest.ts";
import type { Action } from "./resolve-action.ts";

type JavascriptManifest = ActionManifest & { readonly kind: "javascript" };

interface JavascriptAction {
  readonly action: Action & { readonly kind: "files" };
  readonly manifest: JavascriptManifest;
  readonly inputs: Readonly<Record<string, string>>;
}

export async function runJavascript(step: RunningStep, running: JavascriptAction): Promise<void> {
  addLateStage(step, running);
  await runStage(step, running, running.manifest.main);
}

/** Before the first step of the job, if its own condition holds; that of its step is about the main stage. */
export async function runEarlyStage(step: RunningStep, running: JavascriptAction): Promise<void> {
  const { pre, preIf } = running.manifest;
  if (pre === undefined || !conditionHolds(step.scope, preIf, step.env)) return;
  addLateStage(step, running);
  await runStage(step, running, pre);
}

/** Once, by whichever stage runs first. */
function addLateStage(step: RunningStep, running: JavascriptAction): void {
  const { job } = step.scope;
  const { post, postIf } = running.manifest;
  if (post === undefined || !job.parts.actions.once(step.key)) return;
  const run = async (again: RunningStep): Promise<void> => await runStage(again, running, post);
  job.posts.push({ name: step.name, condition: postIf, step, run });
}

async function runStage(step: RunningStep, { action, inputs }: JavascriptAction, file: string): Promise<void> {
  const { host } = step.scope.job;
  const { folders } = step.scope.job.parts;
  const state = [...step.state].map(([name, value]) => [`STATE_${name}`, value]);
  const running = runStepProgram(step, {
    program: await host.node(step.stop),
    args: [host.inside(join(action.folder, file))],
    cwd: folders.workspace,
    env: {
      ...actionEnvironment(step),
      ...inputVariables(inputs),
      ...(Object.fromEntries(state) as Record<string, string>),
    },
  });
  await reasonOnce(step, running);
}

/** As on GitHub: a code after the reason says nothing more. */
export async function reasonOnce(step: RunningStep, running: Promise<void>): Promise<void> {
  const { annotations } = step.scope.job;
  const before = annotations.length;
  await running.catch((error: unknown) => {
    const told = annotations.slice(before).some(({ level }) => level === "error");
    throw told && error instanceof StepFailure ? new ToldFailure(error.message, error) : error;
  });
}
