/** Runs a program for a step: its output obeyed and logged, its file commands read afterwards. */
import { protocolLimits } from "#workflows";
import { StepFailure, StepStopped } from "../errors.ts";
import { LineSplitter } from "../exec/line-splitter.ts";
import type { RunningStep } from "./scope.ts";
import type { CommandReceiver } from "./step-output.ts";
import { stepEnvironment } from "./step-env.ts";
import type { StepHost } from "./step-host.ts";
import { readFileCommands } from "./step-files.ts";

export interface StepProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Over the step's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Throws `StepFailure` for any exit code but 0, and the stop signal's reason when that ended it. */
export async function runStepProgram(
  step: RunningStep,
  program: StepProgram,
  host: StepHost = step.scope.job.host,
): Promise<void> {
  step.stop.throwIfAborted();
  const { fileCommands } = step.scope.job.parts;
  const files = step.scope.files ?? fileCommands.take();
  let exitCode: number;
  try {
    exitCode = await runLogged(step, program, { ...stepEnvironment(step, files, host), ...program.env }, host);
  } finally {
    step.output.flush();
    try {
      readFileCommands(files, step);
    } finally {
      if (files !== step.scope.files) fileCommands.giveBack(files);
    }
  }
  if (step.stop.aborted && step.stop.reason instanceof StepStopped) throw step.stop.reason;
  if (exitCode !== 0) throw new StepFailure(`Process completed with exit code ${exitCode}.`);
  if (step.output.failure !== undefined) throw new StepFailure("A command of the step could not be processed");
}

async function runLogged(
  step: RunningStep,
  program: StepProgram,
  env: Record<string, string>,
  host: StepHost,
): Promise<number> {
  const { parts } = step.scope.job;
  const receiver: CommandReceiver = {
    setOutput: (name, value) => void step.outputs.set(name, value),
    saveState: (name, value) => void step.state.set(name, value),
  };
  const kept = (): number => protocolLimits.logLineLength + parts.masker.longest;
  const splitters = {
    stdout: new LineSplitter(kept, (line) => step.output.line(line, receiver)),
    stderr: new LineSplitter(kept, (line) => step.output.line(line, receiver)),
  };
  const end = await host.run(program.program, program.args, {
    cwd: host.inside(program.cwd),
    env,
    clock: parts.clock,
    stop: step.stop,
    kill: parts.kill,
    onStarted: () => parts.fileCommands.tend(),
    onOutput: (stream, chunk) => {
      splitters[stream].push(chunk);
      step.output.flush();
    },
  });
  splitters.stdout.end();
  splitters.stderr.end();
  step.output.flush();
  return end.exitCode;
}
