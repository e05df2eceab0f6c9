/**
 * Before the first step: every action that can be known is found, fetched and read, those inside others too, so that a
 * job that cannot run says so at once. Actions of the workspace come with a checkout, so they are looked at when they
 * run.
 */
import type { StepDefinition } from "#workflows";
import { StepFailure } from "../errors.ts";
import type { Scope } from "../steps/scope.ts";
import type { StepOutput } from "../steps/step-output.ts";
import { isImage, isLocal, resolveAction, type Action } from "./resolve-action.ts";
import { maxDepth } from "./run-composite.ts";

/** Steps whose actions have something to do before the first step. */
export type EarlySteps = ReadonlySet<StepDefinition>;

/** Throws `StepFailure` with everything that is wrong, each with its place. */
export async function prepareActions(
  steps: readonly StepDefinition[],
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
): Promise<EarlySteps> {
  const preparing = new Preparing(output, stop);
  const early = await preparing.prepare(steps, scope);
  const problems = [...new Set(preparing.problems)];
  if (problems.length > 0) throw new StepFailure(problems.join("\n"));
  return early;
}

class Preparing {
  readonly problems: string[] = [];
  readonly #output: StepOutput;
  readonly #stop: AbortSignal;
  readonly #told = new Set<string>();

  constructor(output: StepOutput, stop: AbortSignal) {
    this.#output = output;
    this.#stop = stop;
  }

  async prepare(steps: readonly StepDefinition[], scope: Scope): Promise<EarlySteps> {
    const named = steps.filter(({ uses }) => uses !== undefined && !isLocal(uses));
    const asked = named.flatMap(({ uses = "" }) =>
      !isImage(uses) && !(uses.startsWith("$/") && scope.place.root !== undefined) ? [uses] : [],
    );
    // In one question; what is wrong is told below, at its step.
    await scope.job.parts.actions.obtain(asked, this.#stop).catch(() => {});
    const early = new Set<StepDefinition>();
    for (const step of named) if (await this.#one(step, scope)) early.add(step);
    return early;
  }

  async #one(step: StepDefinition, scope: Scope): Promise<boolean> {
    const { uses = "", at } = step;
    let action: Action;
    try {
      action = await resolveAction(uses, scope, this.#stop);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      this.problems.push(`${at.file}:${at.line}:${at.column}: ${error.message}`);
      return false;
    }
    this.#tell(uses, action);
    if (action.kind !== "files") return false;
    const { manifest } = action;
    if (manifest.kind === "javascript") return manifest.pre !== undefined;
    if (manifest.kind !== "composite") return false;
    if (scope.depth >= maxDepth) {
      this.problems.push(`${at.file}:${at.line}:${at.column}: "${uses}" is nested over ${maxDepth} deep`);
      return false;
    }
    const inner = { ...scope, place: action.place, depth: scope.depth + 1 };
    return (await this.prepare(manifest.steps, inner)).size > 0;
  }

  /** Where each comes from, once. */
  #tell(uses: string, action: Action): void {
    if (this.#told.has(uses)) return;
    this.#told.add(uses);
    this.#output.write(`Action ${uses}: ${sourceOf(action)}`);
    this.#output.flush();
  }
}

function sourceOf(action: Action): string {
  if (action.kind !== "files") return "built in";
  if (action.archive === undefined) return "of the same commit as the action around it";
  const { source, host = "", repository, ref, sha, lock } = action.archive;
  const where = source === "local" ? `${repository} of this server` : `${host}/${repository}`;
  const name = ref === sha ? `commit ${sha}` : `${ref.replace(/^refs\/(?:tags|heads)\//, "")} is ${sha}`;
  return `${where}, ${name}${lock === undefined ? "" : `, as ${lock.at} says`}`;
}
