/** The place a step runs in: the job itself, or a composite action inside it. */
import type { ContextObject, ContextValue, StepDefinition } from "#workflows";
import type { Job, JobStatus } from "../job/job.ts";
import type { FileCommandFiles } from "./step-files.ts";
import type { StepOutput } from "./step-output.ts";

export type StepResult = "success" | "failure" | "cancelled" | "skipped";

export interface FinishedStep {
  readonly outputs: Readonly<Record<string, string>>;
  readonly outcome: StepResult;
  readonly conclusion: StepResult;
}

/** Where the running action is, for `github.action_*`. */
export interface ActionPlace {
  /** `github.action`: the step's id, or one made up. */
  readonly name: string;
  readonly path?: string;
  /** Where the files of the whole repository are that the action came with; undefined in the job itself. */
  readonly root?: string;
  readonly ref?: string;
  readonly repository?: string;
}

export interface Scope {
  readonly job: Job;
  /** The `inputs` context. */
  readonly inputs: ContextObject;
  /** Steps of this scope that have ended, by id. */
  readonly steps: Map<string, FinishedStep>;
  /** What the step that calls a composite action set for it. */
  readonly env: Readonly<Record<string, string>>;
  readonly place: ActionPlace;
  /** 0 for the job, one more for each composite action. */
  readonly depth: number;
  /** Names the place in the job, e.g. for what a step keeps; empty for the job itself. */
  readonly key: string;
  /** What `success()` and `failure()` look at: of a composite action its own steps only. */
  readonly status: () => JobStatus;
  readonly markFailed: () => void;
  /** Of the step that is about to run, for `github.output` and the like; absent before. */
  readonly files?: FileCommandFiles;
}

/** A step as it runs. */
export interface RunningStep {
  readonly definition: StepDefinition;
  readonly scope: Scope;
  readonly name: string;
  /** Names the step in the job: the same for each of its stages. */
  readonly key: string;
  /** The scope's environment with the step's own over it. */
  readonly env: Readonly<Record<string, string>>;
  readonly output: StepOutput;
  readonly outputs: Map<string, string>;
  /** Kept from an action's first stage to its last. */
  readonly state: Map<string, string>;
  /** Aborts to stop the step politely; the reason is a `StepStopped`. */
  readonly stop: AbortSignal;
}

/** Registered when an action's main or pre stage starts; runs after all steps, last registered first. */
export interface PostStep {
  readonly name: string;
  readonly condition: string;
  readonly step: RunningStep;
  run(step: RunningStep): Promise<void>;
}

export function jobScope(job: Job): Scope {
  return {
    job,
    inputs: job.parts.assignment.contexts.inputs,
    steps: new Map(),
    env: {},
    place: { name: "__run" },
    depth: 0,
    key: "",
    status: () => job.status,
    markFailed: () => job.markFailed(),
  };
}

export function stepsContext(steps: ReadonlyMap<string, FinishedStep>): ContextObject {
  const entries = [...steps].map(([id, step]): [string, ContextValue] => [
    id,
    { outputs: step.outputs, outcome: step.outcome, conclusion: step.conclusion },
  ]);
  return Object.fromEntries(entries);
}
