/**
 * The file commands of one step: fresh files before it, read after it whatever its end was. To make and to remove them
 * takes as long as to start a program, so it is done while the program of another step runs.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ids } from "#lib";
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

export class FileCommandStock {
  readonly #folder: string;
  readonly #ids: Ids;
  readonly #ahead: boolean;
  #next: FileCommandFiles | undefined;
  #read: FileCommandFiles[] = [];

  /** @param ahead whether the job has more than one step to make files for */
  constructor(folder: string, ids: Ids, ahead: boolean) {
    this.#folder = folder;
    this.#ids = ids;
    this.#ahead = ahead;
  }

  /** Of nobody else, and empty. */
  take(): FileCommandFiles {
    const files = this.#next ?? this.#make();
    this.#next = undefined;
    return files;
  }

  /** Called while nothing waits for this process. What cannot be done now is not needed, or fails when it is. */
  tend(): void {
    try {
      if (this.#ahead) this.#next ??= this.#make();
      for (const files of this.#read.splice(0)) {
        for (const file of Object.values(files) as string[]) rmSync(file, { force: true });
      }
    } catch {
      // A full disk, or a step that has removed the folder: the next step will say so.
    }
  }

  /** They have been read: whatever is written to them from now on counts for nothing. */
  giveBack(files: FileCommandFiles): void {
    this.#read.push(files);
  }

  #make(): FileCommandFiles {
    const id = this.#ids.uuid();
    const files: FileCommandFiles = {
      env: join(this.#folder, `set_env_${id}`),
      output: join(this.#folder, `set_output_${id}`),
      path: join(this.#folder, `add_path_${id}`),
      state: join(this.#folder, `save_state_${id}`),
      summary: join(this.#folder, `step_summary_${id}`),
    };
    for (const file of Object.values(files) as string[]) writeFileSync(file, "", { mode: 0o666 });
    return files;
  }
}

/**
 * Throws `StepFailure` when a file cannot be understood. What stands before the mistake counts, and so do the other
 * files, as on GitHub.
 */
export function readFileCommands(files: FileCommandFiles, step: RunningStep): void {
  const { job } = step.scope;
  const failures = [
    attempt(() => job.addPaths(parsePathFile(read(files.path, "GITHUB_PATH")))),
    readPairs(files.env, "GITHUB_ENV", (name, value) => {
      if (name.toUpperCase() === "NODE_OPTIONS") {
        step.output.error(`Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command`);
      } else job.env.set(name, value);
    }),
    readPairs(files.output, "GITHUB_OUTPUT", (name, value) => void step.outputs.set(name, value)),
    readPairs(files.state, "GITHUB_STATE", (name, value) => void step.state.set(name, value)),
  ].filter((failure) => failure !== undefined);
  takeSummary(files.summary, step);
  const [first, ...others] = failures;
  for (const other of others) step.output.error(other.message);
  if (first !== undefined) throw first;
}

function readPairs(file: string, name: string, take: (name: string, value: string) => void): StepFailure | undefined {
  return attempt(() => {
    for (const [key, value] of parseKeyValueFile(read(file, name), name)) take(key, value);
  });
}

function attempt(act: () => void): StepFailure | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof StepFailure) return error;
    throw error;
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
