/**
 * Where the programs of steps run: on the machine, or in the job's container. Paths are kept as the machine knows them
 * and are translated where a step sees them. Built-in actions run on the machine in any case.
 */
import { findProgram } from "#lib";
import { runProcessGroup, type GroupEnd, type GroupOptions } from "../exec/process-group.ts";
import type { RunnerFacts } from "../job/job.ts";

export interface StepHost {
  readonly kind: "machine" | "container";
  /** The environment that steps start from; PATH is in it. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** A path of the machine, or a value that is one, as steps see it. */
  inside(path: string): string;
  /** The path of the machine behind what steps see. */
  outside(path: string): string;
  /** Whether steps see this path of the machine at all. */
  shows(path: string): boolean;
  /** Where the program is, as far as that can be told before it is run. */
  find(program: string, searchPath: string, cwd: string): string | undefined;
  /** The Node.js that runs JavaScript actions. Throws `StepFailure` when there is none that works. */
  node(signal: AbortSignal): Promise<string>;
  /** `cwd` and arguments are as steps see them. Rejects only when the program cannot be started. */
  run(program: string, args: readonly string[], options: GroupOptions): Promise<GroupEnd>;
}

export function machineHost(runner: RunnerFacts): StepHost {
  return {
    kind: "machine",
    baseEnv: runner.baseEnv,
    inside: (path) => path,
    outside: (path) => path,
    shows: () => true,
    find: findProgram,
    node: () => Promise.resolve(runner.nodePath),
    run: runProcessGroup,
  };
}
