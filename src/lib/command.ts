/** Runs a program to its end with bounded output. For long-lived children use `node:child_process` directly. */
import { spawn } from "node:child_process";
import { AppError } from "./errors.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the child; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
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
  options.signal.throwIfAborted();
  const limit = options.maxOutputBytes ?? 64 * 1024 * 1024;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env === undefined ? undefined : { ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    signal: options.signal,
    killSignal: "SIGKILL",
  });
  const stdout: Buffer[] = [];
  let size = 0;
  let stderr = "";
  return await new Promise<CommandResult>((resolve, reject) => {
    child.on("error", (error) => reject(options.signal.aborted ? (options.signal.reason as Error) : error));
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) stdout.push(chunk);
      else child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-4096);
    });
    child.on("close", (code, signal) => {
      if (size > limit) {
        const message = `Cannot run "${file}": its output is over ${limit} bytes`;
        reject(new CommandError("lib/command-failed", message, { details: { exitCode: -1, stderr } }));
        return;
      }
      resolve({ exitCode: code ?? (signal === null ? 1 : 128), stdout: Buffer.concat(stdout), stderr });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
  });
}

/** Runs and returns standard output; any exit code but 0 is a `CommandError`. Arguments stay out of the message. */
export async function commandOutput(file: string, args: readonly string[], options: CommandOptions): Promise<Buffer> {
  const result = await runCommand(file, args, options);
  if (result.exitCode === 0) return result.stdout;
  const message = `Command "${file} ${args[0] ?? ""}" failed with exit code ${result.exitCode}: ${result.stderr.trim()}`;
  const details = { exitCode: result.exitCode, stderr: result.stderr };
  throw new CommandError("lib/command-failed", message, { details });
}
