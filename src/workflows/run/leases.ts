/**
 * When each claimed job counts as lost, in memory on purpose: a restarted control process gives every running job a
 * whole new lease, so its own absence never costs a live runner its job.
 */
import type { Clock } from "#lib";

export class Leases implements Disposable {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #onEnd: (jobId: number) => void;
  readonly #ends = new Map<number, { readonly endsMs: number; readonly timer: Disposable }>();

  /** @param onEnd called when a job has been silent for the whole lease; it is told again after each later renewal */
  constructor(clock: Clock, leaseMs: number, onEnd: (jobId: number) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#onEnd = onEnd;
  }

  renew(jobId: number): void {
    this.#ends.get(jobId)?.timer[Symbol.dispose]();
    const endsMs = this.#clock.now().epochMilliseconds + this.#leaseMs;
    // A timer may fire a little before the wall clock reaches the end; one more millisecond makes sure it has.
    const timer = this.#clock.schedule(this.#leaseMs + 1, () => this.#onEnd(jobId));
    this.#ends.set(jobId, { endsMs, timer });
  }

  endsMs(jobId: number): number | undefined {
    return this.#ends.get(jobId)?.endsMs;
  }

  end(jobId: number): void {
    this.#ends.get(jobId)?.timer[Symbol.dispose]();
    this.#ends.delete(jobId);
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#ends.values()) timer[Symbol.dispose]();
    this.#ends.clear();
  }
}
