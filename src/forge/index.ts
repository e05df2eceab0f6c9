/** Pull requests, issues, statuses, checks and releases of repositories. Knows no HTTP, no git process and no runs. */
export { ForgeError, type FieldProblem, type ForgeErrorCode } from "./errors.ts";
export { openForge, type Forge, type ForgeOptions } from "./forge.ts";
export type { CheckResult, ChecksPort, CommitsPort, Person, RepositoryRef } from "./ports.ts";
export type { ForgeEvent, PullAction, RecordedEvent } from "./event-log.ts";
export { combineStates, statusStates, type NewStatus, type StatusView } from "./statuses.ts";
export {
  checkConclusions,
  checkStatuses,
  firstCheckRunId,
  type CheckAnnotation,
  type CheckChange,
  type CheckRunView,
} from "./checks.ts";
export type { CommentView, IssueView, LabelView } from "./issue-rows.ts";
export type { IssueChange } from "./issues.ts";
export { mergeMethods, mergeRefusal } from "./plan-merge.ts";
export type { PullView } from "./pull-view.ts";
export type { PullChange } from "./pulls.ts";
export type { OutgoingStatus, StatusPort } from "./outbox.ts";
export { planMirror } from "./plan-mirror.ts";
export type { DeliveryEnd, RemoteView } from "./remotes.ts";
export type { DeliveryRow } from "./schema.ts";
export { testMerge } from "./pull-merge.ts";
export {
  bearsSignature,
  deliveryHead,
  isSigned,
  localPayload,
  readNews,
  type RemoteKind,
  type RemoteNews,
} from "./webhook.ts";
export { reviewEvents, type ReviewView } from "./reviews.ts";
export type { AssetView, ReleaseChange, ReleaseView } from "./releases.ts";
