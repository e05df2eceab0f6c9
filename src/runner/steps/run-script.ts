/** `run:` steps. */
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { StepFailure } from "../errors.ts";
import { planShell, shellText } from "../exec/shell.ts";
import { fillTemplate } from "./contexts.ts";
import { runStepProgram } from "./run-program.ts";
import type { RunningStep } from "./scope.ts";
import { stepSearchPath } from "./step-env.ts";

export async function runScript(step: RunningStep): Promise<void> {
  const { fileCommands } = step.scope.job.parts;
  const files = fileCommands.take();
  try {
    await runWithFiles({ ...step, scope: { ...step.scope, files } });
  } finally {
    fileCommands.giveBack(files);
  }
}

async function runWithFiles(step: RunningStep): Promise<void> {
  const { definition, scope } = step;
  const { assignment, folders, ids } = scope.job.parts;
  const defaults = scope.depth === 0 ? assignment.defaults : {};
  const script = fillTemplate(scope, definition.run ?? "", step.env);
  const shell = filled(step, definition.shell ?? defaults.shell);
  if (shell === undefined && scope.depth > 0) {
    throw new StepFailure("Required property is missing: shell. Every run step of a composite action names its shell");
  }
  const { host } = scope.job;
  const folder = filled(step, definition.workingDirectory ?? defaults.workingDirectory) ?? "";
  const cwd = isAbsolute(folder) ? host.outside(folder) : join(folders.workspace, folder);
  // What a container does not share with the machine, the engine looks at.
  if (host.shows(cwd) && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StepFailure(`Working directory "${folder}" does not exist: check working-directory`);
  }
  const searchPath = stepSearchPath(step);
  const programs = new Map<string, string | undefined>();
  const find = (program: string): string | undefined => {
    if (!programs.has(program)) programs.set(program, host.find(program, searchPath, cwd));
    return programs.get(program);
  };
  const scriptPath = join(folders.temp, ids.uuid());
  const seenPath = host.inside(scriptPath);
  const plan = planShell(shell, script.replaceAll("\r\n", "\n"), seenPath, (program) => {
    // As on GitHub: without a word in the workflow a container's shell is sh, whether it has bash or not.
    if (host.kind === "container") return shell !== undefined || program !== "bash";
    return find(program) !== undefined;
  });
  writeFileSync(`${scriptPath}${plan.extension}`, plan.script);
  if (plan.extension === "") chmodSync(scriptPath, 0o755);
  announce(step, script, shellText(plan, seenPath));
  await runStepProgram(step, {
    program: find(plan.program) ?? plan.program,
    args: plan.args,
    cwd,
  });
}

function filled(step: RunningStep, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const value = fillTemplate(step.scope, text, step.env).trim();
  return value === "" ? undefined : value;
}

/** The head of the log: what is run, by which shell, with which variables. */
function announce(step: RunningStep, script: string, shell: string): void {
  const lines = script.replace(/\n+$/, "").split("\n");
  const variables = { ...Object.fromEntries(step.scope.job.env), ...step.env };
  const env = Object.entries(variables).map(([name, value]) => `  ${name}: ${value.split("\n").join("\n    ")}`);
  step.output.group(`Run ${lines[0] ?? ""}`, [
    ...lines,
    `shell: ${shell}`,
    ...(env.length > 0 ? ["env:", ...env] : []),
  ]);
  step.output.flush();
}
