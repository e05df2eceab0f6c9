/** A job from "Set up job" to "Complete job". Knows nothing of control: it reports to a board and a log. */
import { protocolLimits, type JobAssignment, type StepControl, type StepDefinition } from "#workflows";
import { StepFailure, StepStopped } from "../errors.ts";
import { containersOf } from "../containers/containers-of.ts";
import { EarlierProcesses, killOrphans } from "../exec/orphans.ts";
import { prepareActions, type EarlySteps } from "../actions/prepare-actions.ts";
import type { JobLog } from "../journal/job-log.ts";
import type { JobResult } from "../journal/journal.ts";
import { BackgroundSteps } from "../steps/background-steps.ts";
import { conditionHolds, debugEnabled, runnerDebugEnabled, fillBoolean, fillTemplate } from "../steps/contexts.ts";
import { decideStep, executeEarly, executeStep, guarded } from "../steps/execute-step.ts";
import { jobScope, type FinishedStep, type PostStep, type Scope, type StepResult } from "../steps/scope.ts";
import { runHook } from "../steps/run-hook.ts";
import { cut, rawStepName, stepName } from "../steps/step-name.ts";
import { StepOutput } from "../steps/step-output.ts";
import type { Job } from "./job.ts";
import type { StepBoard } from "./step-board.ts";

/** After a cancel, steps that insist on running (`if: always()`) have this long, unless the job says otherwise. */
const cancelTimeoutMinutes = 5;

interface Current {
  readonly condition: string;
  readonly stop: AbortController;
}

export class JobRun {
  readonly #job: Job;
  readonly #board: StepBoard;
  readonly #log: JobLog;
  readonly #scope: Scope;
  readonly #background: BackgroundSteps;
  /** Kills what is left when a cancelled job does not end. */
  readonly #killAll: () => void;
  readonly #processesBefore: EarlierProcesses;
  #early: EarlySteps = new Set();
  #current: Current | undefined;
  #cancelTimer: Disposable | undefined;

  constructor(job: Job, board: StepBoard, log: JobLog, killAll: () => void) {
    this.#job = job;
    this.#board = board;
    this.#log = log;
    this.#killAll = killAll;
    this.#processesBefore = new EarlierProcesses(job.parts.clock);
    this.#scope = jobScope(job);
    this.#background = new BackgroundSteps(this.#scope);
  }

  /** Stops the running step unless its condition wants to see the cancel; steps after it decide for themselves. */
  cancel(message = "The operation was canceled."): void {
    if (this.#job.status === "cancelled") return;
    this.#job.markCancelled();
    const { clock, assignment } = this.#job.parts;
    const minutes = assignment.cancelTimeoutMinutes ?? cancelTimeoutMinutes;
    this.#cancelTimer = clock.schedule(minutes * 60_000, this.#killAll);
    const reason = new StepStopped("cancelled", message);
    this.#background.stop(reason, (condition) => this.#insists(condition));
    const current = this.#current;
    if (current === undefined || this.#insists(current.condition)) return;
    current.stop.abort(reason);
  }

  async run(): Promise<JobResult> {
    const { clock, assignment } = this.#job.parts;
    using _deadline = clock.schedule(assignment.timeoutMinutes * 60_000, () => {
      const minutes = assignment.timeoutMinutes;
      const message = `The job has exceeded the maximum execution time of ${minutes} minutes.`;
      this.#job.annotate({ level: "error", message });
      this.cancel(message);
    });
    try {
      const { started, completed } = this.#job.parts.runner.hooks;
      const ready =
        (await this.#setUp()) &&
        (await this.#runHook("Set up runner", "ACTIONS_RUNNER_HOOK_JOB_STARTED", started)) &&
        (await this.#startContainers());
      for (const step of ready ? assignment.steps : []) if (this.#early.has(step)) await this.#runEarly(step);
      const queue = assignment.steps.map((definition) => ({
        definition,
        number: this.#board.add(cut(rawStepName(definition)), definition.id),
      }));
      for (const { definition, number } of queue) {
        if (ready) await this.#runStep(definition, number);
        else this.#finish(number, "skipped");
      }
      // Whoever waited for a step and went on in spite of its failure did not make it a success.
      if ((await this.#background.settle()) === "failure") this.#job.markFailed();
      for (let post = this.#job.posts.pop(); post !== undefined; post = this.#job.posts.pop())
        await this.#runPost(post);
      await this.#runHook("Complete runner", "ACTIONS_RUNNER_HOOK_JOB_COMPLETED", completed);
      await this.#stopContainers();
      return await this.#complete();
    } finally {
      this.#cancelTimer?.[Symbol.dispose]();
    }
  }

  #insists(condition: string): boolean {
    try {
      return conditionHolds(this.#scope, condition, {});
    } catch {
      return false;
    }
  }

  #output(number: number): StepOutput {
    return new StepOutput({
      job: this.#job,
      sink: this.#log.step(number),
      stepNumber: number,
      debug: debugEnabled(this.#scope),
    });
  }

  /** Runs `work` as step `number`, stoppable by a cancel that `condition` does not insist against. */
  async #stoppable<T>(condition: string, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    this.#current = { condition, stop };
    const { kill } = this.#job.parts;
    try {
      return await work(AbortSignal.any([stop.signal, kill]));
    } finally {
      this.#current = undefined;
    }
  }

  async #setUp(): Promise<boolean> {
    const number = this.#board.add("Set up job");
    this.#board.start(number);
    const output = this.#output(number);
    const { assignment, runner } = this.#job.parts;
    const prepare = async (stop: AbortSignal): Promise<void> => {
      output.write(`Runner name: '${runner.name}' (${runner.os} ${runner.arch})`);
      if (runnerDebugEnabled(this.#scope)) for (const line of this.#diagnostics()) output.write(`##[debug]${line}`);
      output.write(`Job: '${assignment.name}' of ${assignment.repository}, ${assignment.ref} at ${assignment.sha}`);
      this.#early = await prepareActions(assignment.steps, this.#scope, output, stop);
    };
    const result = await this.#stoppable("success()", async (stop) => {
      return await guarded(output, async () => await prepare(stop));
    });
    this.#conclude(number, result);
    return result === "success";
  }

  /** What the runner gives every job; nothing of it is a secret. */
  #diagnostics(): readonly string[] {
    const { folders, runner, assignment, trackingId } = this.#job.parts;
    return [
      `Folders: ${Object.entries(folders)
        .map(([name, path]) => `${name}=${String(path)}`)
        .join(", ")}`,
      `Node.js of actions: ${runner.nodePath}`,
      `Environment of steps: ${Object.keys(runner.baseEnv).join(", ")}; PATH=${runner.baseEnv["PATH"] ?? ""}`,
      `Job ${assignment.jobId}, attempt ${assignment.runAttempt}; processes are tracked as ${trackingId}`,
    ];
  }

  /** What actions do before the first step, in the order of the steps. */
  async #runEarly(definition: StepDefinition): Promise<void> {
    const number = this.#board.add(cut(`Pre ${stepName(definition, this.#scope)}`));
    const output = this.#output(number);
    if (this.#job.parts.kill.aborted || this.#job.status === "cancelled") return this.#finish(number, "skipped");
    this.#board.start(number);
    const result = await this.#stoppable("success()", async (stop) => {
      return await executeEarly(definition, this.#scope, output, stop);
    });
    this.#conclude(number, result);
  }

  /** True when there is none, or it went well. */
  async #runHook(name: string, variable: string, path: string | undefined): Promise<boolean> {
    if (path === undefined || this.#job.parts.kill.aborted) return true;
    const number = this.#board.add(name);
    this.#board.start(number);
    const output = this.#output(number);
    const result = await this.#stoppable("always()", async (stop) => {
      return await guarded(output, async () => await runHook(path, variable, this.#scope, output, stop));
    });
    this.#conclude(number, result);
    return result === "success";
  }

  /** Services and the container that steps run in; nothing of it where the job asks for none. */
  async #startContainers(): Promise<boolean> {
    const wanted = wantedImages(this.#job.parts.assignment);
    if (wanted.length === 0) return true;
    const number = this.#board.add("Initialize containers");
    this.#board.start(number);
    const output = this.#output(number);
    const say = sayTo(output);
    const result = await this.#stoppable("success()", async (stop) => {
      return await guarded(output, async () => {
        const containers = await containersOf(this.#job, `the containers of the job (${wanted.join(", ")})`, stop);
        try {
          await containers.start(this.#scope, say, stop);
        } finally {
          const { shared } = this.#job;
          shared.containersContext = containers.context;
          if (containers.host !== undefined) shared.host = containers.host;
        }
      });
    });
    this.#conclude(number, result);
    return result === "success";
  }

  async #stopContainers(): Promise<void> {
    const containers = await this.#job.shared.containers?.catch(() => undefined);
    if (containers === undefined) return;
    const number = this.#board.add("Stop containers");
    this.#board.start(number);
    const output = this.#output(number);
    this.#conclude(number, await guarded(output, async () => await containers.stop(sayTo(output))));
  }

  async #runStep(definition: StepDefinition, number: number): Promise<void> {
    if (this.#job.parts.kill.aborted || decideStep(definition, this.#scope) === "skip") {
      if (definition.id !== undefined) {
        this.#scope.steps.set(definition.id, { outputs: {}, outcome: "skipped", conclusion: "skipped" });
      }
      this.#finish(number, "skipped");
      return;
    }
    if (definition.background === true) {
      this.#startBackground(definition, number);
      return;
    }
    this.#board.start(number, stepName(definition, this.#scope));
    if (definition.control !== undefined) {
      await this.#runControl(definition, definition.control, number);
      return;
    }
    const finished = await this.#stoppable(definition.if, async (stop) => {
      return await executeStep(definition, this.#scope, this.#output(number), stop);
    });
    this.#finish(number, finished.outcome, finished.conclusion);
  }

  #startBackground(definition: StepDefinition, number: number): void {
    const title = stepName(definition, this.#scope);
    const { contextName: name = String(number), id, if: condition } = definition;
    const run = async (scope: Scope, stop: AbortSignal): Promise<FinishedStep> => {
      this.#board.start(number, title);
      const finished = await executeStep(definition, scope, this.#output(number), stop);
      this.#finish(number, finished.outcome, finished.conclusion);
      return finished;
    };
    this.#background.start({ name, title, condition, run, ...(id === undefined ? {} : { id }) });
  }

  /** A step that waits for others, or cancels them: it ends as they ended. */
  async #runControl(definition: StepDefinition, control: StepControl, number: number): Promise<void> {
    const output = this.#output(number);
    let waited: StepResult = "success";
    const result = await this.#stoppable("success()", async (stop) => {
      return await guarded(output, async () => {
        const names = control.kind === "wait-all" ? this.#background.open() : control.steps;
        const verb = control.kind === "cancel" ? "Cancelling" : "Waiting for";
        output.write(`${verb} steps in the background: ${this.#background.titles(names)}`);
        output.flush();
        if (control.kind === "cancel") await this.#background.cancel(names, definition.name ?? control.kind);
        else waited = await this.#background.wait(names, stop);
        output.write(waited === "success" ? "Done" : `Done: ${waited}`);
      });
    });
    const outcome = result === "success" ? waited : result;
    const conclusion =
      outcome === "failure" && fillBoolean(this.#scope, definition.continueOnError) ? "success" : outcome;
    if (definition.id !== undefined) this.#scope.steps.set(definition.id, { outputs: {}, outcome, conclusion });
    if (conclusion === "failure") this.#job.markFailed();
    this.#finish(number, outcome, conclusion);
  }

  async #runPost(post: PostStep): Promise<void> {
    const number = this.#board.add(cut(`Post ${post.name}`));
    const output = this.#output(number);
    const wanted = this.#insists(post.condition);
    if (!wanted || this.#job.parts.kill.aborted) return this.#finish(number, "skipped");
    this.#board.start(number);
    const result = await this.#stoppable(post.condition, async (stop) => {
      return await guarded(output, async () => await post.run({ ...post.step, output, stop }));
    });
    this.#conclude(number, result);
  }

  #finish(number: number, outcome: StepResult, conclusion = outcome): void {
    this.#board.finish(number, outcome, conclusion, this.#log.lineCount(number));
  }

  #conclude(number: number, result: StepResult): void {
    if (result === "failure") this.#job.markFailed();
    this.#finish(number, result);
  }

  async #complete(): Promise<JobResult> {
    const number = this.#board.add("Complete job");
    this.#board.start(number);
    const output = this.#output(number);
    let outputs: Record<string, string> = {};
    let environmentUrl = "";
    const result = await guarded(output, async () => {
      const { trackingId, clock } = this.#job.parts;
      const killed = await killOrphans(trackingId, clock, this.#processesBefore);
      if (killed > 0) output.write(`Ended ${killed} processes that steps had left running`);
      outputs = this.#outputs(output);
      environmentUrl = fillTemplate(this.#scope, this.#job.parts.assignment.environment?.url ?? "").trim();
    });
    this.#conclude(number, result);
    return {
      conclusion: this.#job.status,
      outputs,
      annotations: this.#job.annotations,
      summary: this.#job.summary,
      steps: this.#board.list(),
      ...(environmentUrl === "" ? {} : { environmentUrl: this.#job.parts.masker.mask(environmentUrl) }),
    };
  }

  /** An output that holds a secret is not handed on, as GitHub does it. */
  #outputs(output: StepOutput): Record<string, string> {
    const { assignment, masker } = this.#job.parts;
    const outputs: Record<string, string> = {};
    let length = 0;
    for (const [name, template] of Object.entries(assignment.outputs)) {
      const value = fillTemplate(this.#scope, template);
      if (value === "") continue;
      length += name.length + value.length;
      if (length > protocolLimits.outputsLength)
        throw new StepFailure("The outputs of the job are over 1 MiB together");
      if (masker.holdsSecret(value)) output.warning(`Skip output '${name}' since it may contain secret.`);
      else outputs[name] = value;
    }
    return outputs;
  }
}

/** The images of containers that the job asks for. */
function wantedImages({ container, serviceContainers = {} }: JobAssignment): string[] {
  const images = [container, ...Object.values(serviceContainers)].flatMap((one) => one?.image ?? []);
  return images.filter((image) => image !== "");
}

function sayTo(output: StepOutput): (text: string) => void {
  return (text) => {
    output.write(text);
    output.flush();
  };
}
