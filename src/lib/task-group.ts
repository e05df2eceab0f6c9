import { isAbort } from "./errors.ts";

/**
 * Owns background work so that nothing floats: every task gets the group's signal, every failure reaches `onFailure`,
 * and disposal aborts the signal and waits until the last task has ended.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown, name: string) => void;

  /** @param onFailure called once for each task that throws anything but the group's own abort */
  constructor(onFailure: (error: unknown, name: string) => void) {
    this.#onFailure = onFailure;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Starts `work`; after disposal it is not started at all. */
  start(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.signal.aborted) return;
    const task = this.#run(name, work).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** Resolves when no task runs. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await this.settled();
  }

  async #run(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.signal);
    } catch (error) {
      if (this.signal.aborted && (isAbort(error) || error === this.signal.reason)) return;
      this.#onFailure(error, name);
    }
  }
}
