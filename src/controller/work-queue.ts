/**
 * The queue of one controller. Invariants:
 *  - a key is handled by at most one worker at a time;
 *  - a key added while it is handled is handled once more afterwards, however often it was added;
 *  - a delayed add never postpones an earlier one: the earliest due time wins.
 *
 * A key is in exactly one of: absent, delayed (timer), ready (queued), active, active-and-dirty.
 */
import { backoffDelayMs, type Backoff, type Clock, type Ids, Wake } from "#lib";

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly backoff?: Backoff;
  /** Retries of all keys together; default 10 a second after a burst of 100, as client-go's. */
  readonly retryLimit?: RateLimit;
}

/** A token bucket: `burst` at once, then `perSecond`. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

const defaultRetryLimit: RateLimit = { perSecond: 10, burst: 100 };

/** 5 ms, 10 ms, … up to 30 s: quick for a lost race, slow for a broken world. */
const defaultBackoff: Backoff = { initialMs: 5, factor: 2, maxMs: 30_000, jitter: 0.2 };

interface Delayed {
  readonly dueMs: number;
  readonly timer: Disposable;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #backoff: Backoff;
  readonly #retryLimit: RateLimit;
  /** Tokens in the bucket at `#tokensAtMs`; below 0 by what was promised ahead. */
  #tokens: number;
  #tokensAtMs: number;
  readonly #ready = new Set<string>();
  readonly #active = new Map<string, { dirty: boolean }>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #wake = new Wake();

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#ids = options.ids;
    this.#backoff = options.backoff ?? defaultBackoff;
    this.#retryLimit = options.retryLimit ?? defaultRetryLimit;
    this.#tokens = this.#retryLimit.burst;
    this.#tokensAtMs = options.clock.monotonicMs();
  }

  /** Keys that wait or run now, without the delayed ones. */
  get length(): number {
    return this.#ready.size + this.#active.size;
  }

  add(key: string): void {
    this.#cancelDelay(key);
    const active = this.#active.get(key);
    if (active !== undefined) {
      active.dirty = true;
      return;
    }
    this.#ready.add(key);
    this.#wake.notify();
  }

  addAfter(key: string, ms: number): void {
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + ms;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.dueMs <= dueMs) return;
    this.#cancelDelay(key);
    const timer = this.#clock.schedule(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /**
   * Adds again after the key's own back-off, which grows with each failure until `succeeded`, or when the limit over all
   * keys lets it, whichever is later: a thousand objects that fail together must not become a storm. Returns the delay.
   */
  addAfterFailure(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delay = Math.max(backoffDelayMs(this.#backoff, failures, this.#ids.random()), this.#takeToken());
    this.addAfter(key, delay);
    return delay;
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** The next ready key, marked active; waits for one. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      const next = this.#ready.values().next();
      if (next.done !== true) {
        this.#ready.delete(next.value);
        this.#active.set(next.value, { dirty: false });
        // Another worker may wait for what is left: Wake remembers only one notification.
        if (this.#ready.size > 0) this.#wake.notify();
        return next.value;
      }
      await this.#wake.wait(signal);
    }
  }

  /** Ends the handling of a key taken before; it is ready again if it was added meanwhile. */
  done(key: string): void {
    const active = this.#active.get(key);
    this.#active.delete(key);
    if (active?.dirty === true) this.add(key);
  }

  /** Drops all timers. */
  close(): void {
    for (const key of this.#delayed.keys()) this.#cancelDelay(key);
  }

  /** Takes one token, from the future when the bucket is empty; the milliseconds until it is there. */
  #takeToken(): number {
    const { perSecond, burst } = this.#retryLimit;
    const nowMs = this.#clock.monotonicMs();
    const refilled = ((nowMs - this.#tokensAtMs) / 1000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + refilled) - 1;
    this.#tokensAtMs = nowMs;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / perSecond) * 1000;
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer[Symbol.dispose]();
    this.#delayed.delete(key);
  }
}
