/**
 * Properties try the same examples in each run, so that a failure is of the change that shows it. `FC_SEED` takes others,
 * `FC_RUNS` so many times as many. The pure tests are run with this module loaded first.
 */
import fc from "fast-check";

export const propertySeed = Number(process.env["FC_SEED"] ?? 20_261_121);

/** How many examples, where `usual` are tried in each run. */
export function propertyRuns(usual: number): number {
  return usual * Number(process.env["FC_RUNS"] ?? 1);
}

fc.configureGlobal({ seed: propertySeed, numRuns: propertyRuns(100) });
