import { Worker } from "node:worker_threads";
import type { Clock } from "./clock.ts";
import { AppError, errorMessage } from "./errors.ts";

export interface ThreadLimits {
  readonly deadlineMs: number;
  readonly heapMegabytes: number;
  readonly clock: Clock;
}

/** The thread gave no answer; the message says why, e.g. `it takes over 20 s`. */
export class ThreadFailed extends AppError<"lib/thread-failed"> {}

/**
 * Runs a module in a thread, for work that may take long or all the memory there is while this process has other things
 * to do. The module finds `input` as its `workerData` and posts one message, the answer. Throws `ThreadFailed`.
 */
export async function runInThread<Answer>(module: URL, input: unknown, limits: ThreadLimits): Promise<Answer> {
  const { deadlineMs, heapMegabytes, clock } = limits;
  const worker = new Worker(module, { workerData: input, resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } });
  const answer = Promise.withResolvers<Answer>();
  const fail = (found: string): void => answer.reject(new ThreadFailed("lib/thread-failed", found));
  worker.once("message", answer.resolve);
  worker.once("error", (error) => fail(errorMessage(error)));
  worker.once("exit", () => fail("its thread ended"));
  using _deadline = clock.schedule(deadlineMs, () => fail(`it takes over ${deadlineMs / 1000} s`));
  try {
    return await answer.promise;
  } finally {
    await worker.terminate();
  }
}
