import type { Clock } from "#lib";
import type { InspectedContainer, JobEngine } from "./job-engine.ts";

/** Engines tell when health changes; one that does not (Podman of some versions) is asked so often. */
const askEveryMs = 1_000;

/** Of a check that does not say, as engines have it. */
const usualIntervalMs = 30_000;

/** Returns when the container says that it is well or not, has no health check, or has ended. */
export async function untilHealthy(
  engine: JobEngine,
  id: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<InspectedContainer> {
  using changed = engine.events.wakeOf(id);
  const checks = new MissingChecks(engine, id, clock);
  for (;;) {
    const facts = await engine.inspect(id, signal);
    if (facts.State.Health?.Status !== "starting" || !facts.State.Running) return facts;
    if (await checks.make(facts, signal)) continue;
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    await Promise.race([changed.wake.wait(either).catch(() => {}), clock.sleep(askEveryMs, either).catch(() => {})]);
    enough.abort();
    signal.throwIfAborted();
  }
}

/**
 * Podman leaves health checks to timers of systemd. Where the first one is overdue, as on a machine without systemd, they
 * are asked for, as often as the container says.
 */
class MissingChecks {
  readonly #engine: JobEngine;
  readonly #id: string;
  readonly #clock: Clock;
  readonly #sinceMs: number;
  #askedMs: number | undefined;
  #possible = true;

  constructor(engine: JobEngine, id: string, clock: Clock) {
    this.#engine = engine;
    this.#id = id;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** True when there was one: the health may have changed. */
  async make({ State, Config }: InspectedContainer, signal: AbortSignal): Promise<boolean> {
    const interval = Config.Healthcheck?.Interval ?? 0;
    const intervalMs = interval === 0 ? usualIntervalMs : interval / 1e6;
    const nowMs = this.#clock.monotonicMs();
    // Somebody else makes them.
    if (this.#askedMs === undefined && (State.Health?.Log ?? []).length > 0) return false;
    const dueMs = this.#askedMs === undefined ? this.#sinceMs + intervalMs + askEveryMs : this.#askedMs + intervalMs;
    if (!this.#possible || nowMs < dueMs) return false;
    this.#askedMs = nowMs;
    this.#possible = await this.#engine.checkHealth(this.#id, signal);
    return this.#possible;
  }
}
