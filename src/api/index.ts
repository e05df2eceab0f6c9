/** Every kind: types, defaults, validation. Pure; all that the console may see. */
export { isJobName, jobName } from "./job-name.ts";
export { areas, permits, type AccessPort, type Area, type Identity, type Verb } from "./access.ts";
export type {
  AnyObject,
  Condition,
  IntOrString,
  KubeObject,
  LabelSelector,
  ObjectMeta,
  OwnerReference,
} from "./meta/object.ts";
export { apiVersionOf, qualifiedPlural, splitApiVersion, type ResourceType } from "./meta/resource-type.ts";
export { builtinKinds } from "./kinds.ts";
export { type CompletionContext, defineKind, type KindDefinition, type PrinterColumn } from "./meta/kind.ts";
export { ageSince, humanAge } from "./meta/human-age.ts";
export { labelFaults, labelValueFaults, qualifiedNameFaults, subdomainFaults } from "./meta/name-rules.ts";
export { runtimeClasses, type RuntimeClass } from "./node/runtime-class.ts";
export { canonicalQuantity } from "./meta/canonical-quantity.ts";
export { formatMilli, milliOf } from "./meta/quantity.ts";
export { serviceAccounts, type ServiceAccount } from "./core/service-account-kind.ts";
export { broughtDefinitions } from "./extensions/brought-definitions.ts";
export * from "./extensions/crd.ts";
export { controllerOf, matchesLabels, matchesSelector } from "./meta/selector.ts";
export * from "./core/pod.ts";
export * from "./core/core-types.ts";
export * from "./apps/apps-types.ts";
export * from "./autoscaling/autoscaling-types.ts";
export { type PodDisruptionBudget, podDisruptionBudgets } from "./policy/disruption-budget.ts";
export * from "./apps/stateful-set.ts";
export * from "./apps/daemon-set.ts";
export * from "./apps/controller-revision.ts";
export * from "./batch/job.ts";
export * from "./batch/cron-job.ts";
export * from "./storage/volumes.ts";
export * from "./networking/ingress.ts";
export * from "./networking/traffic-split.ts";
export * from "./rbac/rbac.ts";
export * from "./product/timeline.ts";
export * from "./product/delivery.ts";
export * from "./product/kept.ts";
export * from "./product/reports.ts";
export { readSarif } from "./product/sarif.ts";
export * from "./product/run.ts";
export * from "./product/runner.ts";
export * from "./product/pull.ts";
export * from "./product/mirror.ts";
export * from "./product/environment.ts";
export * from "./product/action.ts";
export * from "./product/workflow.ts";
export * from "./product/application-view.ts";
export * from "./product/rollout-view.ts";
export * from "./product/secret.ts";
export * from "./product/system.ts";
export * from "./argo/rollout.ts";
export * from "./argo/analysis.ts";
export { validateRollout } from "./argo/rollout-validation.ts";
export { invalid, required } from "./argo/field-problem.ts";
export { limitValue, validateMetrics } from "./argo/analysis-validation.ts";
export { parseExpression } from "./expression/parse.ts";
export {
  evaluateExpression,
  type Evaluated,
  type ExpressionEnvironment,
  type ExpressionFunction,
} from "./expression/evaluate.ts";
export type { Node as ExpressionNode } from "./expression/syntax.ts";
export * from "./argo/application.ts";
export * from "./argo/app-project.ts";
