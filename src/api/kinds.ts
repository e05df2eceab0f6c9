/** The kinds that are built in, one line each; the order is that of `kubectl api-resources`. CRDs add theirs at run time. */
import { analysisRunKind, analysisTemplateKind, clusterAnalysisTemplateKind } from "./argo/analysis-kinds.ts";
import { applicationKind, appProjectKind } from "./argo/application-kinds.ts";
import { rolloutKind } from "./argo/rollout-kind.ts";
import { deploymentKind } from "./apps/deployment-kind.ts";
import { replicaSetKind } from "./apps/replica-set-kind.ts";
import { configMapKind } from "./core/config-map-kind.ts";
import { endpointSliceKind } from "./core/endpoint-slice-kind.ts";
import { eventKind } from "./core/event-kind.ts";
import { leaseKind } from "./core/lease-kind.ts";
import { namespaceKind } from "./core/namespace-kind.ts";
import { nodeKind } from "./core/node-kind.ts";
import { podKind } from "./core/pod-kind.ts";
import { secretKind } from "./core/secret-kind.ts";
import { serviceAccountKind } from "./core/service-account-kind.ts";
import { serviceKind } from "./core/service-kind.ts";
import { crdKind } from "./extensions/crd-kind.ts";
import { controllerRevisionKind } from "./apps/controller-revision-kind.ts";
import { daemonSetKind } from "./apps/daemon-set-kind.ts";
import { statefulSetKind } from "./apps/stateful-set-kind.ts";
import { olderAutoscalerKind } from "./autoscaling/autoscaler-v1-kind.ts";
import { newerEventKind } from "./core/event-v1-kind.ts";
import { horizontalPodAutoscalerKind } from "./autoscaling/autoscaler-kind.ts";
import { cronJobKind } from "./batch/cron-job-kind.ts";
import { jobKind } from "./batch/job-kind.ts";
import { endpointsKind } from "./core/endpoints-kind.ts";
import { limitRangeKind, resourceQuotaKind } from "./core/quota-kinds.ts";
import { ingressClassKind } from "./networking/ingress-class.ts";
import { networkPolicyKind } from "./networking/network-policy.ts";
import { runtimeClassKind } from "./node/runtime-class.ts";
import { podDisruptionBudgetKind } from "./policy/disruption-budget.ts";
import { priorityClassKind } from "./scheduling/priority-class.ts";
import { persistentVolumeClaimKind } from "./storage/claim-kind.ts";
import { storageClassKind } from "./storage/storage-class-kind.ts";
import { persistentVolumeKind } from "./storage/volume-kind.ts";
import type { KindDefinition } from "./meta/kind.ts";
import { ingressKind } from "./networking/ingress-kind.ts";
import { trafficSplitKind } from "./networking/traffic-split-kind.ts";
import { clusterRoleBindingKind, roleBindingKind } from "./rbac/binding-kinds.ts";
import { clusterRoleKind, roleKind } from "./rbac/role-kinds.ts";

export const builtinKinds: readonly KindDefinition[] = [
  namespaceKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  eventKind,
  newerEventKind,
  nodeKind,
  podKind,
  serviceKind,
  endpointsKind,
  persistentVolumeKind,
  persistentVolumeClaimKind,
  resourceQuotaKind,
  limitRangeKind,
  deploymentKind,
  replicaSetKind,
  statefulSetKind,
  daemonSetKind,
  controllerRevisionKind,
  jobKind,
  cronJobKind,
  horizontalPodAutoscalerKind,
  olderAutoscalerKind,
  podDisruptionBudgetKind,
  endpointSliceKind,
  leaseKind,
  ingressKind,
  ingressClassKind,
  networkPolicyKind,
  priorityClassKind,
  runtimeClassKind,
  storageClassKind,
  roleKind,
  roleBindingKind,
  clusterRoleKind,
  clusterRoleBindingKind,
  trafficSplitKind,
  crdKind,
  rolloutKind,
  analysisTemplateKind,
  clusterAnalysisTemplateKind,
  analysisRunKind,
  applicationKind,
  appProjectKind,
];
