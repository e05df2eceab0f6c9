/** The file commands of one step: fresh files before it, read after it whatever its end was. */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { maxFileCommandBytes, parseKeyValueFile, parsePathFile } from "../commands/file-commands.ts";
import { StepFailure } from "../errors.ts";
import type { RunningStep } from "./scope.ts";

export interface FileCommandFiles {
  readonly env: string;
  readonly output: string;
  readonly path: string;
  readonly state: string;
  readonly summary: string;
}

const maxSummaryBytes = 1024 * 1024;

/** Synchronous: five empty files cost less than the promises for them. */
export function makeFileCommands(folder: string, id: string): FileCommandFiles {
  const files: FileCommandFiles = {
    env: join(folder, `set_env_${id}`),
    output: join(folder, `set_output_${id}`),
    path: join(folder, `add_path_${id}`),
    state: join(folder, `save_state_${id}`),
    summary: join(folder, `step_summary_${id}`),
  };
  for (const file of Object.values(files) as string[]) writeFileSync(file, "", { mode: 0o666 });
  return files;
}

/** Throws `StepFailure` when a file cannot be understood; what was read before it counts. */
export function takeFileCommands(files: FileCommandFiles, step: RunningStep): void {
  const { job } = step.scope;
  try {
    job.addPaths(parsePathFile(read(files.path, "GITHUB_PATH")));
    for (const [name, value] of parseKeyValueFile(read(files.env, "GITHUB_ENV"), "GITHUB_ENV")) {
      if (name.toUpperCase() === "NODE_OPTIONS") {
        step.output.error(`Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command`);
      } else job.env.set(name, value);
    }
    for (const [name, value] of parseKeyValueFile(read(files.output, "GITHUB_OUTPUT"), "GITHUB_OUTPUT")) {
      step.outputs.set(name, value);
    }
    for (const [name, value] of parseKeyValueFile(read(files.state, "GITHUB_STATE"), "GITHUB_STATE")) {
      step.state.set(name, value);
    }
    takeSummary(files.summary, step);
  } finally {
    for (const file of Object.values(files) as string[]) rmSync(file, { force: true });
  }
}

function takeSummary(file: string, step: RunningStep): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  if (size > maxSummaryBytes) {
    step.output.error(`$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${size} bytes`);
    return;
  }
  step.scope.job.addSummary(readFileSync(file, "utf8"));
}

/** A step may have deleted the file. */
function read(file: string, name: string): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined || size === 0) return "";
  if (size > maxFileCommandBytes) {
    throw new StepFailure(`Unable to process file command "${name}": it is over ${maxFileCommandBytes} bytes`);
  }
  return readFileSync(file, "utf8");
}
