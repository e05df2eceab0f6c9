/** The reconcile machinery that every controller stands on. Knows no feature. */
export {
  createController,
  requestsOfOwner,
  watching,
  type Controller,
  type ControllerOptions,
  type Watching,
} from "./controller.ts";
export { requestKey, settled, type Outcome, type Request } from "./outcome.ts";
export { Informer, type InformerEvent } from "./informer.ts";
export { Informers } from "./informers.ts";
export { WorkQueue } from "./work-queue.ts";
export { findCondition, isConditionTrue, setCondition } from "./conditions.ts";
export { recordEvent, type EventRecorderOptions, type EventText } from "./events.ts";
export { planLease, runAsLeader, type LeaderLeaseOptions, type LeaseStep } from "./leader-lease.ts";
