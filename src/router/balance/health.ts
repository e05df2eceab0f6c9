/**
 * Passive health of an endpoint, pure.
 *
 * - `in`: takes requests. Exits: one refused connection, or `failuresToEject` other failures in a row → `out`.
 * - `out`: takes none until a connection test succeeds. `until` is when the next test is due; each failed one doubles
 *   the wait. Exits: test succeeded → `in`, keeping `ejections` until a request succeeds, so that an endpoint which
 *   accepts connections but never answers is away longer each time.
 *
 * An error status is an answer: a release that answers 500 must be seen by its analysis, not hidden by the router.
 */
export type Health =
  | { readonly state: "in"; readonly failures: number; readonly ejections: number }
  | { readonly state: "out"; readonly ejections: number; readonly until: number };

/** `refused`: nobody listens. `broken`: accepted, but failed or timed out before the answer began. */
export type Failure = "refused" | "broken";

export const healthy: Health = { state: "in", failures: 0, ejections: 0 };

const failuresToEject = 3;
const firstEjectionMs = 500;
const longestEjectionMs = 15_000;

export function afterFailure(health: Health, failure: Failure, now: number): Health {
  if (health.state === "out") return health;
  const failures = health.failures + 1;
  if (failure === "refused" || failures >= failuresToEject) return eject(health.ejections + 1, now);
  return { ...health, failures };
}

export function afterSuccess(health: Health): Health {
  return health.state === "in" ? healthy : health;
}

export function afterTest(health: Health, passed: boolean, now: number): Health {
  if (health.state === "in") return health;
  if (passed) return { state: "in", failures: 0, ejections: health.ejections };
  return eject(health.ejections + 1, now);
}

function eject(ejections: number, now: number): Health {
  const wait = Math.min(firstEjectionMs * 2 ** Math.min(ejections - 1, 10), longestEjectionMs);
  return { state: "out", ejections, until: now + wait };
}
