/**
 * Reads workflow files for a process that has other things to do: what was read is remembered by its text, and a file
 * that may take long is read in a thread of its own, which has its time and its memory.
 */
import { setImmediate } from "node:timers/promises";
import { KeyedLock, runInThread, sha256Hex, ThreadFailed, type Checked, type Clock } from "#lib";
import { hasAlias } from "./has-alias.ts";
import type { Workflow } from "./model.ts";
import { parseWorkflowFile } from "./workflow-file.ts";

/** A file of this many characters is read in a few milliseconds. */
const inlineLength = 24 * 1024;
const deadlineMs = 20_000;
const heapMegabytes = 512;

/** Threads at once: each may need its heap. */
const maxThreads = 2;

/** How long files may be read one after the other before others have their turn. */
const turnMs = 20;

/** Characters of all files that are remembered together. */
const maxRemembered = 8 * 1024 * 1024;

export class WorkflowReader {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly read: Checked<Workflow>; readonly weight: number }>();
  #weight = 0;
  readonly #turns = new KeyedLock();
  #turnBeganMs = 0;
  #thread = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As `parseWorkflowFile`. The result is shared: it is never changed. */
  async read(path: string, text: string): Promise<Checked<Workflow>> {
    const key = `${path} ${sha256Hex(text)}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      // The one read last is forgotten last.
      this.#known.delete(key);
      this.#known.set(key, known);
      return known.read;
    }
    const aliased = hasAlias(text);
    const large = text.length > inlineLength || aliased;
    const read = large ? await this.#readInTurn(path, text) : await this.#readInline(path, text);
    // How much an alias stands for is not known: a lot.
    this.#remember(key, read, text.length + (aliased ? inlineLength * 20 : 0));
    return read;
  }

  /** A commit may have thousands of files: the process does other things in between. */
  async #readInline(path: string, text: string): Promise<Checked<Workflow>> {
    return await this.#turns.run("inline", async () => {
      if (this.#clock.monotonicMs() - this.#turnBeganMs > turnMs) {
        await setImmediate();
        this.#turnBeganMs = this.#clock.monotonicMs();
      }
      return parseWorkflowFile(path, text);
    });
  }

  async #readInTurn(path: string, text: string): Promise<Checked<Workflow>> {
    this.#thread = (this.#thread + 1) % maxThreads;
    return await this.#turns.run(`thread ${this.#thread}`, () => readInThread(path, text, this.#clock));
  }

  #remember(key: string, read: Checked<Workflow>, weight: number): void {
    // Two may have read the same file at once.
    this.#weight += weight - (this.#known.get(key)?.weight ?? 0);
    this.#known.set(key, { read, weight });
    for (const [oldest, { weight: less }] of this.#known) {
      if (this.#weight <= maxRemembered) return;
      this.#known.delete(oldest);
      this.#weight -= less;
    }
  }
}

async function readInThread(path: string, text: string, clock: Clock): Promise<Checked<Workflow>> {
  try {
    const thread = new URL("./parse-thread.ts", import.meta.url);
    return await runInThread(thread, { path, text }, { deadlineMs, heapMegabytes, clock });
  } catch (error) {
    if (!(error instanceof ThreadFailed)) throw error;
    const message = `File cannot be read: ${error.message}. Make it smaller`;
    return { problems: [{ path: "", message, at: { file: path } }] };
  }
}
