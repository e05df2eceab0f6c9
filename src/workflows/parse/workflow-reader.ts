/**
 * Reads workflow files for a process that has other things to do: what was read is remembered by its text, and a file
 * that may take long is read in a thread of its own, which has its time and its memory.
 */
import { Worker } from "node:worker_threads";
import { errorMessage, sha256Hex, type Checked, type Clock } from "#lib";
import type { Workflow } from "./model.ts";
import { parseWorkflowFile } from "./workflow-file.ts";

/** A file of this many characters is read in a few milliseconds. */
const inlineLength = 24 * 1024;
const deadlineMs = 20_000;
const heapMegabytes = 512;
const maxRemembered = 256;

/** An alias lets a short file be a large one. */
const alias = /(^|[\s,[{:-])\*[\w-]/m;

export class WorkflowReader {
  readonly #clock: Clock;
  readonly #known = new Map<string, Checked<Workflow>>();

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
      return known;
    }
    const large = text.length > inlineLength || alias.test(text);
    const read = large ? await readInThread(path, text, this.#clock) : parseWorkflowFile(path, text);
    this.#known.set(key, read);
    if (this.#known.size > maxRemembered) this.#known.delete(this.#known.keys().next().value ?? "");
    return read;
  }
}

async function readInThread(path: string, text: string, clock: Clock): Promise<Checked<Workflow>> {
  const worker = new Worker(new URL("./parse-thread.ts", import.meta.url), {
    workerData: { path, text },
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  const failed = (found: string): Checked<Workflow> => ({
    problems: [{ path: "", message: `File cannot be read: ${found}. Make it smaller`, at: { file: path } }],
  });
  const late = Promise.withResolvers<Checked<Workflow>>();
  using _deadline = clock.schedule(deadlineMs, () => late.resolve(failed(`it takes over ${deadlineMs / 1000} s`)));
  try {
    return await Promise.race([late.promise, answerOf(worker, failed)]);
  } finally {
    await worker.terminate();
  }
}

async function answerOf(worker: Worker, failed: (found: string) => Checked<Workflow>): Promise<Checked<Workflow>> {
  return await new Promise((resolve) => {
    worker.once("message", resolve);
    worker.once("error", (error) => resolve(failed(errorMessage(error))));
    worker.once("exit", () => resolve(failed("its thread ended")));
  });
}
