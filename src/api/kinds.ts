/** The kinds that are built in, one line each; the order is that of `kubectl api-resources`. CRDs add theirs at run time. */
import { analysisRunKind, analysisTemplateKind, clusterAnalysisTemplateKind } from "./argo/analysis-kinds.ts";
import { applicationKind, appProjectKind } from "./argo/application-kinds.ts";
import { rolloutKind } from "./argo/rollout-kind.ts";
import { deployments, replicaSets } from "./apps/apps-types.ts";
import { configMapKind } from "./core/config-map-kind.ts";
import { services } from "./core/core-types.ts";
import { endpointSliceKind } from "./core/endpoint-slice-kind.ts";
import { eventKind } from "./core/event-kind.ts";
import { leaseKind } from "./core/lease-kind.ts";
import { namespaceKind } from "./core/namespace-kind.ts";
import { nodeKind } from "./core/node-kind.ts";
import { pods } from "./core/pod.ts";
import { secretKind } from "./core/secret-kind.ts";
import { serviceAccountKind } from "./core/service-account-kind.ts";
import { defineKind, type KindDefinition } from "./meta/kind.ts";
import { ingresses } from "./networking/ingress.ts";
import { trafficSplitKind } from "./networking/traffic-split-kind.ts";

export const builtinKinds: readonly KindDefinition[] = [
  namespaceKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  eventKind,
  nodeKind,
  defineKind({ type: pods, singular: "pod", shortNames: ["po"], categories: ["all"], status: true, generation: true }),
  defineKind({
    type: services,
    singular: "service",
    shortNames: ["svc"],
    categories: ["all"],
    status: true,
    generation: false,
  }),
  defineKind({
    type: deployments,
    singular: "deployment",
    shortNames: ["deploy"],
    categories: ["all"],
    status: true,
    generation: true,
    scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  }),
  defineKind({
    type: replicaSets,
    singular: "replicaset",
    shortNames: ["rs"],
    categories: ["all"],
    status: true,
    generation: true,
    scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  }),
  endpointSliceKind,
  leaseKind,
  defineKind({ type: ingresses, singular: "ingress", shortNames: ["ing"], status: true, generation: true }),
  trafficSplitKind,
  rolloutKind,
  analysisTemplateKind,
  clusterAnalysisTemplateKind,
  analysisRunKind,
  applicationKind,
  appProjectKind,
];
