/** Actions workflows: files in, jobs out, and the durable state of runs. Knows no git, no tokens' store, no processes. */
export * from "./protocol.ts";
export * from "./ports.ts";
export type { ActionRepository, ActionSourcePort, KeptAction } from "./actions/ports.ts";
export type { ActionDetails, LockView, RuledFiles, UsedActionView } from "./actions/actions.ts";
export type { RuleTexts } from "./actions/resolver.ts";
export { actionLockPath, type NamedCommit } from "./actions/lock.ts";
export { actionPolicyPath, type ActionHost } from "./actions/policy.ts";
export { parseActionReference, type ActionReference } from "./actions/reference.ts";
export {
  BadActionArchive,
  drain,
  readActionArchive,
  type ArchivedFile,
  type ArchiveSummary,
} from "./actions/read-archive.ts";
export { isActionFile } from "./actions/uses-in-files.ts";
export type { JobActionView } from "./actions/job-actions.ts";
export { ExpressionFailure, WorkflowsError, type WorkflowsErrorCode } from "./errors.ts";
export {
  evaluateExpression,
  evaluateIf,
  evaluateRecord,
  evaluateTemplate,
  evaluateTree,
  evaluateValue,
  type ContextName,
  type Contexts,
  type ExpressionFunctions,
} from "./expressions/evaluate.ts";
export { completeCondition } from "./expressions/condition.ts";
export { hasExpression, splitTemplate } from "./expressions/template.ts";
export { checkFiles, isWorkflowPath, parseWorkflowFile, type WorkflowText } from "./parse/workflow-file.ts";
export { hasAlias } from "./parse/has-alias.ts";
export { readYamlTree, type Position, type YamlNode, type YamlPair } from "./parse/yaml-tree.ts";
export { ContextNames, stepSubject } from "./parse/identifiers.ts";
export { checkCall } from "./parse/check-call.ts";
export { linkCalls, type CalledFile, type CallLoader, type CallReference } from "./parse/link-calls.ts";
export type { DispatchInput, Job, Workflow } from "./parse/model.ts";
export type { Granted } from "./plan/permissions.ts";
export { matchEvent, type TriggerEvent } from "./plan/match-event.ts";
export type { Narrowing } from "./plan/narrow.ts";
export { planRun, type ObservedRun, type RunAction } from "./plan/plan-run.ts";
export type { Conclusion, JobInstance, JobState, JobStatus } from "./plan/job-state.ts";
export { zeroSha, type ActivityEvent, type WorkflowEvent } from "./run/event.ts";
export { openWorkflows, type RunFilter, type Workflows, type WorkflowsOptions } from "./run/workflows.ts";
export type { Deployments, NewDeployment, NewDeploymentStatus } from "./environments/deployments.ts";
export type { Environments } from "./environments/environments.ts";
export type { ReviewRequest, Reviews } from "./environments/reviews.ts";
export type { LogOptions } from "./run/read-log.ts";
export { giveWayMs } from "./run/remarks.ts";
export type { RerunOptions } from "./run/rerun.ts";
export { workflowRoutes, type WorkflowRoutesOptions } from "./run/routes.ts";
export { runnerRegistrationRoutes } from "./runners/registration-routes.ts";
export type {
  JobView,
  LogEntryView,
  RunDetails,
  RunnerView,
  RunNotice,
  RunView,
  ScheduleView,
  StepView,
  WorkflowView,
} from "./run/view.ts";
