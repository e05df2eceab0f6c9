/** What an action of ours is, and what it may do to the step and the job it runs in. */
import { StepFailure, StepStopped } from "../errors.ts";
import { LineSplitter } from "../exec/line-splitter.ts";
import { runProcessGroup } from "../exec/process-group.ts";
import type { RunningStep } from "../steps/scope.ts";
import { stepEnvironment } from "../steps/step-env.ts";
import { machineHost } from "../steps/step-host.ts";

export interface BuiltinAction {
  /** `owner/repository`, as workflows name it. */
  readonly name: string;
  /**
   * Every input with its default; an input that is not here is warned about, as GitHub does. Where the official default
   * is what the contexts say, it is empty, and `gave` tells whether the step said so itself.
   */
  readonly inputs: Readonly<Record<string, string>>;
  /** Inputs that not every version of the official action has. */
  readonly versions?: Readonly<Record<string, InputVersions>>;
  readonly deprecated?: Readonly<Record<string, string>>;
  /** Inputs whose values are masked before the first line is logged, even when they were written down in plain. */
  readonly sensitive?: readonly string[];
  main(call: ActionCall): Promise<void>;
  post?(call: ActionCall): Promise<void>;
  /** `always()` unless the action says otherwise. */
  readonly postIf?: string;
}

/** The first and the last major version of an action that has an input. */
export interface InputVersions {
  readonly since?: number;
  readonly until?: number;
  /** A default of versions before this one. */
  readonly earlier?: { readonly before: number; readonly default: string };
  /** Since when whoever uses it is warned. */
  readonly deprecatedSince?: number;
}

/** An input of ours. */
export interface BuiltinInput {
  readonly name: string;
  readonly default: string;
  readonly deprecation: string | undefined;
}

/** What the official action of this major version takes. */
export function inputsAt({ inputs, versions = {}, deprecated = {} }: BuiltinAction, major: number): BuiltinInput[] {
  return Object.entries(inputs).flatMap(([name, usual]) => {
    const { since = 0, until = Infinity, earlier, deprecatedSince = 0 } = versions[name] ?? {};
    if (major < since || major > until) return [];
    return [
      {
        name,
        default: earlier !== undefined && major < earlier.before ? earlier.default : usual,
        deprecation: major < deprecatedSince ? undefined : deprecated[name],
      },
    ];
  });
}

/** 4 of `v4` and `v4.1.2`; a reference that names no version counts as the newest. */
export function majorVersion(ref: string | undefined): number {
  return Number(/^v(\d+)(?:\.|$)/.exec(ref ?? "")?.[1] ?? Infinity);
}

/** One stage of an action: its inputs and its hands. */
export class ActionCall {
  readonly step: RunningStep;
  readonly inputs: Readonly<Record<string, string>>;
  readonly #given: ReadonlySet<string>;

  constructor(step: RunningStep, inputs: Readonly<Record<string, string>>, given: ReadonlySet<string>) {
    this.step = step;
    this.inputs = inputs;
    this.#given = given;
  }

  get parts(): RunningStep["scope"]["job"]["parts"] {
    return this.step.scope.job.parts;
  }

  /** Of the action, where what it does depends on it. */
  get major(): number {
    return majorVersion(this.step.scope.place.ref);
  }

  text(name: string): string {
    return (this.inputs[name] ?? "").trim();
  }

  /** Missing text is a `StepFailure` with the name GitHub's toolkit uses. */
  required(name: string): string {
    const value = this.text(name);
    if (value === "") throw new StepFailure(`Input required and not supplied: ${name}`);
    return value;
  }

  /** With other values for some inputs. */
  withInputs(inputs: Readonly<Record<string, string>>): ActionCall {
    return new ActionCall(this.step, { ...this.inputs, ...inputs }, this.#given);
  }

  /** The same, to be stopped sooner than its step. */
  stoppedBy(stop: AbortSignal): ActionCall {
    return new ActionCall({ ...this.step, stop }, this.inputs, this.#given);
  }

  /** Whether the step names the input, if only to say that it is empty. */
  gave(name: string): boolean {
    return this.#given.has(name);
  }

  /** As GitHub's toolkit reads it: nothing is neither, unless the action says what it is. */
  flag(name: string, whenEmpty?: boolean): boolean {
    const value = this.text(name);
    if (value === "" && whenEmpty !== undefined) return whenEmpty;
    if (/^(?:true|True|TRUE)$/.test(value)) return true;
    if (/^(?:false|False|FALSE)$/.test(value)) return false;
    throw new StepFailure(
      `Input does not meet YAML 1.2 "Core Schema" specification: ${name}\nSupport boolean input list: \`true | True | TRUE | false | False | FALSE\``,
    );
  }

  /** As actions read it that compare the text: what is not true is false, and nothing is what they take it for. */
  isTrue(name: string, whenEmpty = false): boolean {
    const value = this.text(name);
    return value === "" ? whenEmpty : value.toUpperCase() === "TRUE";
  }

  /** One item a line; with `commas`, commas separate too. */
  list(name: string, commas = false): string[] {
    return this.text(name)
      .split(commas ? /[\n,]/ : "\n")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }

  /** A value of the `github` context as text. */
  github(key: string): string {
    const value = this.parts.assignment.contexts.github[key];
    return value === undefined || value === null || typeof value === "object" ? "" : String(value);
  }

  setOutput(name: string, value: string): void {
    this.step.outputs.set(name, value);
  }

  /** A variable as this step sees it; empty when it is not set. */
  env(name: string): string {
    const { step } = this;
    return step.env[name] ?? step.scope.job.env.get(name) ?? this.parts.runner.baseEnv[name] ?? "";
  }

  /** For the steps after this one. */
  exportVariable(name: string, value: string): void {
    this.step.scope.job.env.set(name, value);
  }

  addPath(folder: string): void {
    this.step.scope.job.addPaths([folder]);
  }

  /** Replaced in every log from here on. */
  mask(secret: string): void {
    this.parts.masker.add(secret);
  }

  /** What the stages after this one find under the name. */
  saveState(name: string, value: string): void {
    this.step.state.set(name, value);
  }

  state(name: string): string {
    return this.step.state.get(name) ?? "";
  }

  debug(text: string): void {
    this.step.output.debug(text);
    this.step.output.flush();
  }

  /** Logged at once. */
  log(text: string): void {
    this.step.output.write(text);
    this.step.output.flush();
  }

  /** A failure that does not end the step at once: whoever says it throws a `ToldFailure` when the rest is done. */
  complain(text: string): void {
    this.step.output.error(text);
    this.step.output.flush();
  }

  warn(text: string): void {
    this.step.output.warning(text);
    this.step.output.flush();
  }

  /**
   * Runs a program, its output in the log (not obeyed) unless `quiet`. Rejects with `StepFailure` when its exit code is
   * not 0. Returns its standard output, cut at 1 MiB.
   */
  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.try(program, args, options);
    if (result.exitCode !== 0) {
      const tail = options.quiet === true && result.tail !== "" ? `: ${result.tail}` : "";
      throw new StepFailure(
        `The process "${program} ${args[0] ?? ""}" failed with exit code ${result.exitCode}${tail}`,
      );
    }
    return result.stdout;
  }

  async try(program: string, args: readonly string[], options: RunOptions = {}): Promise<ProgramEnd> {
    const { parts, step } = this;
    step.stop.throwIfAborted();
    let stdout = "";
    let tail = "";
    const splitters = {
      stdout: new LineSplitter(
        () => 1024 * 1024,
        (line) => {
          if (stdout.length < 1024 * 1024) stdout += `${line}\n`;
          if (options.quiet !== true) step.output.write(line);
        },
      ),
      stderr: new LineSplitter(
        () => 64 * 1024,
        (line) => {
          tail = `${tail}${line}\n`.slice(-1000);
          if (options.quiet !== true) step.output.write(line);
        },
      ),
    };
    const end = await runProcessGroup(program, args, {
      cwd: options.cwd ?? parts.folders.workspace,
      env: { ...stepEnvironment(step, undefined, machineHost(parts.runner)), ...options.env },
      clock: parts.clock,
      stop: step.stop,
      kill: parts.kill,
      onOutput: (stream, chunk) => {
        splitters[stream].push(chunk);
        step.output.flush();
      },
    });
    splitters.stdout.end();
    splitters.stderr.end();
    step.output.flush();
    if (step.stop.aborted && step.stop.reason instanceof StepStopped) throw step.stop.reason;
    return { exitCode: end.exitCode, stdout: stdout.trimEnd(), tail: tail.trim() };
  }
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly quiet?: boolean;
}

interface ProgramEnd {
  readonly exitCode: number;
  readonly stdout: string;
  /** The end of standard error. */
  readonly tail: string;
}
