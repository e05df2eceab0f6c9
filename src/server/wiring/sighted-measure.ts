/** Measures by our own metrics only when they have seen the present; other stores were not away when we were. */
import type { Metrics } from "#metrics";
import type { Clock } from "#lib";
import type { MeasurePort } from "#rollouts";

export function sightedMeasure(measure: MeasurePort, metrics: Metrics, clock: Clock): MeasurePort {
  return {
    async query(provider, at, signal) {
      if (provider.address) return await measure.query(provider, at, signal);
      await metrics.seeing(signal);
      // What was due while this process was down is measured now, not then.
      const now = clock.now();
      return await measure.query(provider, Temporal.Instant.compare(now, at) > 0 ? now : at, signal);
    },
  };
}
