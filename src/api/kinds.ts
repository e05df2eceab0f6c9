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
  nodeKind,
  podKind,
  serviceKind,
  deploymentKind,
  replicaSetKind,
  endpointSliceKind,
  leaseKind,
  ingressKind,
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
