import type { Clock } from "#lib";
import type { InspectedContainer, JobEngine } from "./job-engine.ts";

/** Engines tell when health changes; one that does not (Podman of some versions) is asked so often. */
const askEveryMs = 1_000;

/** Returns when the container says that it is well or not, has no health check, or has ended. */
export async function untilHealthy(
  engine: JobEngine,
  id: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<InspectedContainer> {
  using changed = engine.events.wakeOf(id);
  for (;;) {
    const facts = await engine.inspect(id, signal);
    if (facts.State.Health?.Status !== "starting" || !facts.State.Running) return facts;
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    await Promise.race([changed.wake.wait(either).catch(() => {}), clock.sleep(askEveryMs, either).catch(() => {})]);
    enough.abort();
    signal.throwIfAborted();
  }
}
