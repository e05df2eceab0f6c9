/**
 * One `git cat-file --batch` that answers many questions: starting a process for each would cost more than everything
 * else a push makes us read. It sees objects and refs that come while it runs, since git looks again for what it misses.
 *
 * Answers come in the order of the questions. A process that ends takes its questions with it; the next question starts
 * another one.
 */
import { errorMessage, type RunningProgram } from "#lib";
import type { BatchObject } from "./cat-file.ts";
import { GitError } from "./errors.ts";
import { spawnGit, type GitRun } from "./git-process.ts";

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
  #child: RunningProgram | undefined;
  #starting: Promise<RunningProgram> | undefined;
  #questions: Question[] = [];
  #head: Buffer = Buffer.alloc(0);
  #coming: Coming | undefined;
  #stderr = "";
  /** How often it was closed: a process that was asked for before is not wanted any more. */
  #closings = 0;

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
    // What follows is done in one turn, so that questions and their order are one.
    const child = this.#child ?? (await (this.#starting ??= this.#start()));
    const answers = names.map(
      () =>
        new Promise<BatchObject | undefined>((resolve, reject) => {
          this.#questions.push({ maxBytes, resolve, reject });
        }),
    );
    child.hold(true);
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
    this.#starting = undefined;
    this.#closings += 1;
    child?.stdin?.end();
    child?.kill("SIGKILL");
    this.#fail(closedMeanwhile);
  }

  async #start(): Promise<RunningProgram> {
    const args = ["--git-dir", this.#run.folder, "cat-file", "--batch"];
    const closings = this.#closings;
    const child = await spawnGit(args, this.#run.environment).catch((error: unknown) => {
      if (closings === this.#closings) this.#starting = undefined;
      throw unreadable(errorMessage(error));
    });
    if (closings !== this.#closings) {
      child.kill("SIGKILL");
      throw unreadable(closedMeanwhile);
    }
    this.#child = child;
    this.#starting = undefined;
    this.#head = Buffer.alloc(0);
    this.#coming = undefined;
    this.#stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-2048)));
    child.stdout.on("data", (chunk: Buffer) => {
      if (this.#child === child) this.#take(chunk);
    });
    void child.closed.then((code) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#fail(`git ended with ${code}: ${this.#stderr.trim()}`);
    });
    return child;
  }

  #fail(reason: string): void {
    const waiting = this.#questions;
    this.#questions = [];
    for (const { reject } of waiting) reject(unreadable(reason));
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0)
      rest = this.#coming === undefined ? this.#takeHead(rest) : this.#takeBody(this.#coming, rest);
    if (this.#questions.length === 0) this.#child?.hold(false);
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

const closedMeanwhile = "its reader was closed";

function unreadable(reason: string): GitError {
  return new GitError("git/unreadable", `Cannot read the repository: ${reason}`);
}
