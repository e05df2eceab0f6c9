/**
 * "Something changed": the edge that turns loops over durable state into event-driven ones. It carries no data (the
 * state does), so a wake that comes twice or during work is never lost and never wrong.
 */
export class Wake {
  #waiting: (() => void)[] = [];
  #pending = false;

  /** Lets the waiting loops run; if none waits, the next wait returns at once. */
  notify(): void {
    if (this.#waiting.length === 0) {
      this.#pending = true;
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Resolves at the next `notify`, at once if one came since the last wait. Rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#pending) {
      this.#pending = false;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const resume = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== resume);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.push(resume);
    });
  }
}
