/** Progressive delivery: canary rollouts and the analyses that judge them. */
export { createRollouts, type RolloutsOptions } from "./rollouts.ts";
export type { MeasurePort, MeasureResult, RevisionWeight, TrafficPort, WeightRequest } from "./ports.ts";
export { createEmbeddedTraffic } from "./traffic/embedded-traffic.ts";
export { createPrometheusMeasure, type PrometheusOptions } from "./measure/prometheus.ts";
export { planRollout } from "./canary/plan.ts";
export type { Action, ObservedRollout, ObservedTraffic } from "./canary/observed.ts";
export { type PhaseAndMessage, rolloutPhase } from "./canary/phase.ts";
export { stepText } from "./canary/steps.ts";
export {
  abortPatch,
  pausePatch,
  promoteFullPatch,
  promotePatch,
  restartPatch,
  resumePatch,
  retryPatch,
  type RolloutPatch,
  setImagePatch,
  undo,
  type Undo,
} from "./canary/controls.ts";
export { simulateRollout, type SimulatedMoment, type SimulationOptions } from "./simulate/simulate.ts";
export { MeasureError, RolloutError } from "./errors.ts";
