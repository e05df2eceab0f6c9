/** A terminal as a reader of the documentation has it: one bash session that is typed into, block by block. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export class Terminal implements AsyncDisposable {
  readonly #bash: ChildProcess;
  #output = "";
  #changed = Promise.withResolvers<void>();
  #blocks = 0;

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    // A group of its own, so that what still runs in it can be ended with it.
    const stdio = ["pipe", "pipe", "pipe"] as const;
    this.#bash = spawn("bash", ["--noprofile", "--norc"], { cwd: folder, env, stdio: [...stdio], detached: true });
    for (const stream of [this.#bash.stdout, this.#bash.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString("utf8");
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      });
    }
    this.#type("shopt -s expand_aliases\n");
  }

  /** Types a block and answers with everything that was printed until its last command ended. */
  async run(commands: string, signal: AbortSignal): Promise<string> {
    const before = this.#output.length;
    const mark = `--- block ${++this.#blocks} has ended ---`;
    this.start(`${commands}\n}\n{ printf '\\n%s\\n' '${mark}'`);
    await this.#until((output) => output.includes(mark), signal);
    return this.#output.slice(before, this.#output.indexOf(mark));
  }

  /** Types a block and does not wait for its end. */
  start(commands: string): void {
    // No program may read what is typed next.
    this.#type(`{\n${commands}\n} < /dev/null\n`);
  }

  /** Resolves when `holds` does of everything that was printed so far. */
  async until(holds: (output: string) => boolean, signal: AbortSignal): Promise<void> {
    await this.#until(holds, signal);
  }

  get output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#bash;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const closed = once(this.#bash, "close");
    process.kill(-pid, "SIGKILL");
    await closed;
  }

  #type(text: string): void {
    this.#bash.stdin?.write(text);
  }

  async #until(holds: (output: string) => boolean, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    while (!holds(this.#output)) await Promise.race([this.#changed.promise, aborted]);
  }
}
