/** Plausible answers of the product API, with the states that a healthy demo never shows. Typed by what the console reads. */
export { application, diffs } from "./application.ts";
export { deliveries, trace } from "./deliveries.ts";
export { environments, pending, reviews } from "./environments.ts";
export { logLines } from "./log-lines.ts";
export { rolloutDetail } from "./rollout.ts";
export { runs } from "./runs.ts";
export { status } from "./status.ts";
