/** Runs a program to its end with bounded output. For long-lived ones use `spawnProgram`. */
import { AppError } from "./errors.ts";
import { spawnProgram } from "./spawn-program.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Most bytes of standard output kept; more is an error. */
  readonly maxOutputBytes?: number;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The program ended with another code than 0, by a signal, or wrote too much. `details.stderr` is its last 4 KiB. */
export class CommandError extends AppError<
  "lib/command-failed",
  { readonly exitCode: number; readonly stderr: string }
> {}

/** Runs and returns whatever exit code came. Throws when the program cannot be started or the signal aborts. */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { cwd, env, input, signal, maxOutputBytes: limit = 64 * 1024 * 1024 } = options;
  signal.throwIfAborted();
  const hasInput = input !== undefined;
  const program = await spawnProgram(file, args, { env, input: hasInput, ...(cwd === undefined ? {} : { cwd }) });
  const { stdin, stdout } = program;
  const kill = (): void => program.kill("SIGKILL");
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    kill();
    aborted.reject(signal.reason as Error);
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = "";
  stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else kill();
  });
  program.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-4096);
  });
  stdin?.end(input);
  try {
    const exitCode = await Promise.race([program.closed, aborted.promise]);
    if (size <= limit) return { exitCode, stdout: Buffer.concat(chunks), stderr };
  } finally {
    signal.removeEventListener("abort", abort);
  }
  const message = `Cannot run "${file}": its output is over ${limit} bytes`;
  throw new CommandError("lib/command-failed", message, { details: { exitCode: -1, stderr } });
}

/** Runs and returns standard output; any exit code but 0 is a `CommandError`. Arguments stay out of the message. */
export async function commandOutput(file: string, args: readonly string[], options: CommandOptions): Promise<Buffer> {
  const result = await runCommand(file, args, options);
  if (result.exitCode === 0) return result.stdout;
  const message = `Command "${file} ${args[0] ?? ""}" failed with exit code ${result.exitCode}: ${result.stderr.trim()}`;
  const details = { exitCode: result.exitCode, stderr: result.stderr };
  throw new CommandError("lib/command-failed", message, { details });
}
