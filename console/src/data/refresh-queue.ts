/**
 * Turns notices into refetches. A key has at most one refetch under way; notices during it cause exactly one more
 * after it, so that a stream of notices neither starves a slow answer by cancelling it nor shows a stale one.
 */
export class RefreshQueue {
  readonly #refetch: (key: string) => Promise<void>;
  readonly #running = new Set<string>();
  readonly #again = new Set<string>();

  constructor(refetch: (key: string) => Promise<void>) {
    this.#refetch = refetch;
  }

  request(key: string): void {
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#running.add(key);
    void this.#run(key);
  }

  async #run(key: string): Promise<void> {
    try {
      await this.#refetch(key);
    } catch {
      // The query itself holds the failure, and its page shows it.
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.request(key);
  }
}
