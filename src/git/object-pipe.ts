/**
 * One `git cat-file --batch` that answers many questions: starting a process for each would cost more than everything
 * else a push makes us read. It sees objects and refs that come while it runs, since git looks again for what it misses.
 *
 * Answers come in the order of the questions. A process that ends takes its questions with it; the next question starts
 * another one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { BatchObject } from "./cat-file.ts";
import { GitError } from "./errors.ts";
import type { GitRun } from "./git-process.ts";

interface Question {
  readonly maxBytes: number;
  readonly resolve: (object: BatchObject | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** An object under way; what is over the limit is read and thrown away. */
interface Coming {
  readonly sha: string;
  readonly type: string;
  readonly size: number;
  readonly chunks: Buffer[];
  /** With the line end behind the content. */
  missing: number;
}

const newline = 10;

export class ObjectPipe implements Disposable {
  readonly #run: Omit<GitRun, "input" | "maxOutputBytes">;
  #child: ChildProcess | undefined;
  #questions: Question[] = [];
  #head: Buffer = Buffer.alloc(0);
  #coming: Coming | undefined;
  #stderr = "";

  constructor(run: Omit<GitRun, "input" | "maxOutputBytes">) {
    this.#run = run;
  }

  get busy(): boolean {
    return this.#questions.length > 0;
  }

  /** In the order of the names: undefined where git knows none or several. Throws for an object over `maxBytes`. */
  async read(names: readonly string[], maxBytes: number): Promise<readonly (BatchObject | undefined)[]> {
    this.#run.signal.throwIfAborted();
    if (names.length === 0) return [];
    const child = (this.#child ??= this.#start());
    const answers = names.map(
      () =>
        new Promise<BatchObject | undefined>((resolve, reject) => {
          this.#questions.push({ maxBytes, resolve, reject });
        }),
    );
    hold(child, true);
    child.stdin?.write(names.map((name) => `${name}\n`).join(""));
    // All are settled, so that none is left rejected with nobody looking.
    const settled = await Promise.allSettled(answers);
    return settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
  }

  [Symbol.dispose](): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin?.end();
    child?.kill("SIGKILL");
    this.#fail("its reader was closed");
  }

  #start(): ChildProcess {
    const child = spawn("git", ["--git-dir", this.#run.folder, "cat-file", "--batch"], {
      env: { ...this.#run.environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#head = Buffer.alloc(0);
    this.#coming = undefined;
    this.#stderr = "";
    const gone = (what: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#fail(what);
    };
    child.stdin.on("error", () => {});
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-2048)));
    child.stdout.on("data", (chunk: Buffer) => {
      if (this.#child === child) this.#take(chunk);
    });
    child.on("error", (error) => gone(error.message));
    child.on("close", (code) => gone(`git ended with ${code}: ${this.#stderr.trim()}`));
    return child;
  }

  #fail(reason: string): void {
    const waiting = this.#questions;
    this.#questions = [];
    for (const { reject } of waiting) reject(new GitError("git/unreadable", `Cannot read the repository: ${reason}`));
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0)
      rest = this.#coming === undefined ? this.#takeHead(rest) : this.#takeBody(this.#coming, rest);
    if (this.#questions.length === 0 && this.#child !== undefined) hold(this.#child, false);
  }

  /** `<id> <type> <size>`, or any other line for what is not there. Returns what is behind it. */
  #takeHead(chunk: Buffer): Buffer {
    const end = chunk.indexOf(newline);
    if (end < 0) {
      this.#head = Buffer.concat([this.#head, chunk]);
      return Buffer.alloc(0);
    }
    const line = Buffer.concat([this.#head, chunk.subarray(0, end)]).toString("utf8");
    this.#head = Buffer.alloc(0);
    const [, sha, type = "", size = "0"] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    if (sha === undefined) this.#questions.shift()?.resolve(undefined);
    else this.#coming = { sha, type, size: Number(size), chunks: [], missing: Number(size) + 1 };
    return chunk.subarray(end + 1);
  }

  #takeBody(coming: Coming, chunk: Buffer): Buffer {
    const part = chunk.subarray(0, coming.missing);
    coming.missing -= part.length;
    const [question] = this.#questions;
    const fits = coming.size <= (question?.maxBytes ?? 0);
    if (fits) coming.chunks.push(part);
    if (coming.missing === 0) {
      this.#coming = undefined;
      this.#questions.shift();
      const { sha, type, size, chunks } = coming;
      if (fits) question?.resolve({ sha, type, content: Buffer.concat(chunks).subarray(0, size) });
      else question?.reject(new GitError("git/too-large", `Cannot read object ${sha}: it has ${size} bytes`));
    }
    return chunk.subarray(part.length);
  }
}

/** Whether this process stays for the child's sake. */
function hold(child: ChildProcess, held: boolean): void {
  for (const one of [child, child.stdin, child.stdout, child.stderr] as (ChildProcess | Socket | null)[]) {
    if (held) one?.ref();
    else one?.unref();
  }
}
