/**
 * Coarse timeouts for connections. Setting one is an assignment; a sweep a few times a second finds those that have
 * passed, which for ten thousand connections costs tens of microseconds, where a timer each would cost every request.
 */
export interface Timed {
  /** Milliseconds of the loop's clock; Infinity for none. */
  deadline: number;
  onDeadline(now: number): void;
}

export class Deadlines {
  readonly #timed = new Set<Timed>();

  add(timed: Timed): void {
    this.#timed.add(timed);
  }

  delete(timed: Timed): void {
    this.#timed.delete(timed);
  }

  get size(): number {
    return this.#timed.size;
  }

  /** Calls everything that is due once; what wants another deadline sets it itself. */
  sweep(now: number): void {
    for (const timed of this.#timed) {
      if (timed.deadline > now) continue;
      timed.deadline = Number.POSITIVE_INFINITY;
      timed.onDeadline(now);
    }
  }
}
