/** Other people's programs in a test: run one to its end, or follow one that keeps printing. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** The exit code that the test expects; default 0. */
  readonly code?: number;
  /** How long it may take; what hangs is a failure. Default two minutes, for which no client here has a reason. */
  readonly patienceMs?: number;
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
}

const defaultPatienceMs = 120_000;

/** Fails the test, with everything the program said, when it ends otherwise than expected. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { env, cwd, input, code = 0, patienceMs = defaultPatienceMs } = options;
  const stdin = input === undefined ? "ignore" : "pipe";
  const child = spawn(command, args, { env, cwd, stdio: [stdin, "pipe", "pipe"], timeout: patienceMs });
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (output.stdout += chunk.toString("utf8")));
  child.stderr?.on("data", (chunk: Buffer) => (output.stderr += chunk.toString("utf8")));
  child.stdin?.end(input);
  await once(child, "close");
  const how = child.exitCode ?? child.signalCode;
  const said = `${output.stdout}\n${output.stderr}`.trim();
  assert.equal(how, code, `"${command} ${args.join(" ")}" ended with ${how}, not ${code}:\n${said}`);
  return output;
}

export interface Followed extends AsyncDisposable {
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** The first line, printed already or yet to come, that matches. Fails the test when the output ends without. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves when the program ended by itself, with its exit code. */
  ended(): Promise<number | null>;
}

/** Starts a program that goes on printing; disposing ends it. */
export function follow(command: string, args: readonly string[], options: RunOptions): Followed {
  const { env, cwd, patienceMs = defaultPatienceMs } = options;
  const child = spawn(command, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"], timeout: patienceMs });
  const output = new LineReader(child);
  return {
    lines: output.lines,
    line: (pattern) => output.find(pattern, `${command} ${args.join(" ")}`),
    async ended() {
      await output.closed;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await output.closed;
    },
  };
}

class LineReader {
  readonly lines: string[] = [];
  readonly closed: Promise<unknown>;
  #rest = "";
  #stderr = "";
  #open = true;
  #changed = Promise.withResolvers<void>();

  constructor(child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk.toString("utf8")));
    child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString("utf8")));
    this.closed = once(child, "close").then(() => {
      this.#open = false;
      this.#changed.resolve();
    });
  }

  async find(pattern: RegExp, command: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      const said = `${this.lines.join("\n")}\n${this.#rest}${this.#stderr}`;
      assert.ok(this.#open, `"${command}" ended without a line that matches ${String(pattern)}:\n${said}`);
      await this.#changed.promise;
    }
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split("\n");
    this.#rest = parts.pop() ?? "";
    this.lines.push(...parts);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
