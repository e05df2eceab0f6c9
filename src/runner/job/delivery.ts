/**
 * The job of a slot that has run and that control is still to hear of, while the next one runs: of one at a time, so that
 * never more is left to tell than one job a slot.
 */
export class Delivery implements AsyncDisposable {
  readonly #failed: (error: unknown) => void;
  #held: Promise<void> = Promise.resolve();

  /** @param failed hears of what a delivery threw after its job had run */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Returns when the one before is over. */
  async follow(held: Promise<void>): Promise<void> {
    await this.#held;
    this.#held = held.catch(this.#failed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held;
  }
}
