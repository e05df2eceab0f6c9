/**
 * When each claimed job counts as lost, in memory and by a clock that stands still with the machine, on purpose: neither
 * a restart of control nor a suspended or stopped machine may cost a live runner its job.
 */
import type { Clock } from "#lib";

export class Leases implements Disposable {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #onEnd: (jobId: number) => void;
  readonly #ends = new Map<number, { readonly endsMs: number; readonly timer: Disposable }>();

  /** @param onEnd called when a job has been silent for the whole lease; again after each later renewal */
  constructor(clock: Clock, leaseMs: number, onEnd: (jobId: number) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#onEnd = onEnd;
  }

  /** The time that `endsMs` is compared with. */
  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  renew(jobId: number): void {
    this.#ends.get(jobId)?.timer[Symbol.dispose]();
    // Timers may fire a little before their time; one more millisecond makes sure it has come.
    const timer = this.#clock.schedule(this.#leaseMs + 1, () => this.#due(jobId));
    this.#ends.set(jobId, { endsMs: this.nowMs() + this.#leaseMs, timer });
  }

  #due(jobId: number): void {
    const lateMs = this.nowMs() - (this.endsMs(jobId) ?? Infinity);
    // So late that this process stood still: what runners sent meanwhile has not been read yet.
    if (lateMs > this.#leaseMs / 2) this.renew(jobId);
    else this.#onEnd(jobId);
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
