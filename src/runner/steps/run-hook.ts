/** Scripts that whoever keeps the machine has run before and after the steps of each job. */
import { statSync } from "node:fs";
import { extname, isAbsolute } from "node:path";
import { findProgram } from "#lib";
import type { StepDefinition } from "#workflows";
import { StepFailure } from "../errors.ts";
import { planShell } from "../exec/shell.ts";
import { runStepProgram } from "./run-program.ts";
import { runningStep } from "./running-step.ts";
import type { Scope } from "./scope.ts";
import { machineHost } from "./step-host.ts";
import type { StepOutput } from "./step-output.ts";

const shells: Readonly<Record<string, string>> = { ".sh": "bash", ".ps1": "pwsh" };

/** On the machine in any case. Throws `StepFailure` when the script fails: then the job does. */
export async function runHook(
  path: string,
  variable: string,
  scope: Scope,
  output: StepOutput,
  stop: AbortSignal,
): Promise<void> {
  const shell = shells[extname(path)];
  if (!isAbsolute(path) || shell === undefined) {
    throw new StepFailure(`${variable} is "${path}": it must be the absolute path of a file that ends in .sh or .ps1`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new StepFailure(`${variable} is "${path}", and there is no such file on the machine of the runner`);
  }
  const { runner, folders } = scope.job.parts;
  const host = machineHost(runner);
  const searchPath = host.baseEnv["PATH"] ?? "";
  const has = (program: string): boolean => findProgram(program, searchPath, "/") !== undefined;
  const plan = planShell(shell, "", path.slice(0, -extname(path).length), has);
  output.write(`A job hook of this runner: ${path}`);
  output.flush();
  const at: StepDefinition["at"] = { file: path, line: 1, column: 1 };
  const step = runningStep({ if: "always()", at, contextName: `__hook_${variable}` }, scope, output, stop);
  const program = findProgram(plan.program, searchPath, "/") ?? plan.program;
  await runStepProgram(step, { program, args: plan.args, cwd: folders.workspace }, host);
}
