/**
 * Removes the folders of jobs that are over, many at a time once no more come: to remove one takes as long as a short
 * job, and nobody waits for it. What is left when this process is killed is removed by its next life.
 */
import { rm } from "node:fs/promises";
import { runCommand, type Clock, type Log } from "#lib";

/** No folder came for this long: whoever waited for the jobs has seen them end. */
const quietMs = 250;
/** Where jobs end all the time, their files do not pile up for longer. */
const longestMs = 5_000;
/** Of one command. */
const maxFolders = 500;

export class LeftFolders implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #hurry = new AbortController();
  #folders: string[] = [];
  #newestMs = 0;
  #work: Promise<void> | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  add(folder: string): void {
    this.#folders.push(folder);
    this.#newestMs = this.#clock.monotonicMs();
    this.#work ??= this.#removeSoon();
  }

  /** Removes what is there now. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hurry.abort();
    await this.#work;
  }

  async #removeSoon(): Promise<void> {
    await this.#quiet();
    while (this.#folders.length > 0) await this.#remove(this.#folders.splice(0, maxFolders));
    this.#work = undefined;
  }

  async #quiet(): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + longestMs;
    for (;;) {
      const nowMs = this.#clock.monotonicMs();
      const waitMs = Math.min(this.#newestMs + quietMs, untilMs) - nowMs;
      if (waitMs <= 0 || this.#hurry.signal.aborted) return;
      await this.#clock.sleep(waitMs, this.#hurry.signal).catch(() => {});
    }
  }

  /** Another process does it: in this one the other jobs would stand still meanwhile. */
  async #remove(folders: readonly string[]): Promise<void> {
    const { signal } = new AbortController();
    const removed = await runCommand("rm", ["-rf", "--", ...folders], { env: {}, signal }).catch(() => undefined);
    if (removed?.exitCode === 0) return;
    for (const folder of folders) {
      try {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      } catch (error) {
        this.#log.warn("Files of a job could not be removed", { folder, error });
      }
    }
  }
}
