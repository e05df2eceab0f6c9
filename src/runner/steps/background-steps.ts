/** Steps with `background: true`: run beside the others, until a step waits for them or cancels them, or the job ends. */
import { StepStopped } from "../errors.ts";
import { BackgroundJob } from "../job/background-job.ts";
import type { FinishedStep, Scope, StepResult } from "./scope.ts";

/** The Actions runner's; those beyond it wait for their turn. */
const maxConcurrent = 10;

export interface BackgroundStep {
  /** `contextName` of the step. */
  readonly name: string;
  readonly title: string;
  readonly id?: string;
  /** Its `if`, which says whether it wants to go on when the job is cancelled. */
  readonly condition: string;
  /** Runs the step in a scope of its own; never throws but for a bug. */
  readonly run: (scope: Scope, stop: AbortSignal) => Promise<FinishedStep>;
}

interface Running {
  readonly step: BackgroundStep;
  readonly stop: AbortController;
  readonly done: Promise<FinishedStep>;
  /** Outputs, environment and result become visible. */
  readonly flush: (finished: FinishedStep) => void;
  flushed: boolean;
  /** By a step that says so: then its end is as expected. */
  cancelled: boolean;
}

export class BackgroundSteps {
  readonly #scope: Scope;
  readonly #running = new Map<string, Running>();
  #free = maxConcurrent;
  readonly #queue: (() => void)[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  start(step: BackgroundStep): void {
    const stop = new AbortController();
    const job = new BackgroundJob(this.#scope.job);
    const scope: Scope = { ...this.#scope, job, steps: new Map(this.#scope.steps), markFailed: () => {} };
    const flush = (finished: FinishedStep): void => {
      job.flush();
      if (step.id !== undefined) this.#scope.steps.set(step.id, finished);
    };
    const done = this.#run(step, scope, stop.signal);
    // Whoever waits hears of a failure; a bug must not end the process before somebody does.
    done.catch(() => {});
    this.#running.set(step.name, { step, stop, done, flush, flushed: false, cancelled: false });
  }

  async #run(step: BackgroundStep, scope: Scope, stop: AbortSignal): Promise<FinishedStep> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await step.run(scope, AbortSignal.any([stop, this.#scope.job.parts.kill]));
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Those that nobody has waited for. */
  open(): readonly string[] {
    return [...this.#running].filter(([, running]) => !running.flushed).map(([name]) => name);
  }

  titles(names: readonly string[]): string {
    return names.map((name) => this.#running.get(name)?.step.title ?? name).join(", ") || "none";
  }

  /** Waits and makes visible what they did; what is not in the background is passed over. Aborting stops the steps. */
  async wait(names: readonly string[], signal: AbortSignal): Promise<StepResult> {
    const found = names.map((name) => this.#running.get(name)).filter((running) => running !== undefined);
    const stopAll = (): void => {
      for (const { stop } of found) stop.abort(signal.reason);
    };
    signal.addEventListener("abort", stopAll, { once: true });
    if (signal.aborted) stopAll();
    try {
      return worst(await Promise.all(found.map(async (running) => await this.#take(running))));
    } finally {
      signal.removeEventListener("abort", stopAll);
    }
  }

  async #take(running: Running): Promise<StepResult> {
    const finished = await running.done;
    if (!running.flushed) running.flush(finished);
    running.flushed = true;
    return running.cancelled && finished.conclusion === "cancelled" ? "success" : finished.conclusion;
  }

  /** Stops them and waits for their end. */
  async cancel(names: readonly string[], by: string): Promise<void> {
    const found = names.map((name) => this.#running.get(name)).filter((running) => running !== undefined);
    for (const running of found) {
      running.cancelled = true;
      running.stop.abort(new StepStopped("cancelled", `The step was cancelled by "${by}"`));
    }
    await Promise.all(found.map(async (running) => await this.#take(running)));
  }

  /** The job is cancelled: those whose condition does not insist are stopped. */
  stop(reason: StepStopped, insists: (condition: string) => boolean): void {
    for (const { step, stop, flushed } of this.#running.values()) {
      if (!flushed && !insists(step.condition)) stop.abort(reason);
    }
  }

  /** Waits for all that are left, and says how all of them ended. */
  async settle(): Promise<StepResult> {
    return await this.wait([...this.#running.keys()], new AbortController().signal);
  }
}

function worst(results: readonly StepResult[]): StepResult {
  if (results.includes("failure")) return "failure";
  return results.includes("cancelled") ? "cancelled" : "success";
}
