/**
 * Which fields hold the name of another object: Kustomize's built-in table, plus the references of Argo Rollouts'
 * kinds. Written as product of "where a pod spec is" and "what a pod spec refers to", since upstream's long list is that.
 */
import type { FieldSpec } from "./field-path.ts";
import type { KindPattern } from "./resource.ts";

export interface NameReference {
  readonly target: KindPattern;
  readonly referrers: readonly FieldSpec[];
}

const argo = "argoproj.io";

/** Kinds that hold a pod spec, and where. ReplicationControllers only take part in the references named `late` below. */
const podSpecs: readonly (KindPattern & { readonly prefix: string })[] = [
  { kind: "Pod", prefix: "spec" },
  { kind: "PodTemplate", prefix: "template/spec" },
  { kind: "Deployment", prefix: "spec/template/spec" },
  { kind: "ReplicaSet", prefix: "spec/template/spec" },
  { kind: "DaemonSet", prefix: "spec/template/spec" },
  { kind: "StatefulSet", prefix: "spec/template/spec" },
  { kind: "Job", prefix: "spec/template/spec" },
  { kind: "CronJob", prefix: "spec/jobTemplate/spec/template/spec" },
  { group: argo, kind: "Rollout", prefix: "spec/template/spec" },
  { group: argo, kind: "Experiment", prefix: "spec/templates/template/spec" },
];

/** Upstream's table leaves ReplicaSet and PodTemplate out of service accounts, claims and priority classes, and has ReplicationController. */
const latePodSpecs = [
  ...podSpecs.filter(({ kind }) => kind !== "ReplicaSet" && kind !== "PodTemplate"),
  { kind: "ReplicationController", prefix: "spec/template/spec" },
];

function inPods(specs: typeof podSpecs, ...paths: readonly string[]): FieldSpec[] {
  return specs.flatMap(({ prefix, ...kind }) => paths.map((path) => ({ ...kind, path: `${prefix}/${path}` })));
}

function inKind(kind: KindPattern, ...paths: readonly string[]): FieldSpec[] {
  return paths.map((path) => ({ ...kind, path }));
}

function envPaths(source: "configMap" | "secret"): string[] {
  return ["containers", "initContainers"].flatMap((list) => [
    `${list}/env/valueFrom/${source}KeyRef/name`,
    `${list}/envFrom/${source}Ref/name`,
  ]);
}

const rbac = "rbac.authorization.k8s.io";
const rollout = { group: argo, kind: "Rollout" } as const;
const metricSecretRef = "metrics/provider/job/spec/template/spec";

function jobMetrics(...paths: readonly string[]): FieldSpec[] {
  return ["AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"].flatMap((kind) =>
    paths.map((path) => ({ group: argo, kind, path: `spec/${metricSecretRef}/${path}` })),
  );
}

const configMapReferrers: readonly FieldSpec[] = [
  ...inPods(podSpecs, "volumes/configMap/name", "volumes/projected/sources/configMap/name", ...envPaths("configMap")),
  ...jobMetrics("volumes/configMap/name", ...envPaths("configMap")),
  ...inKind({ kind: "Node" }, "spec/configSource/configMap"),
  ...inKind({ kind: "Role" }, "rules/resourceNames"),
  ...inKind({ kind: "ClusterRole" }, "rules/resourceNames"),
  ...inKind({ kind: "Ingress" }, "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
];

const secretReferrers: readonly FieldSpec[] = [
  ...inPods(
    podSpecs,
    "volumes/secret/secretName",
    "volumes/projected/sources/secret/name",
    "imagePullSecrets/name",
    ...envPaths("secret"),
  ),
  ...jobMetrics("volumes/secret/secretName", ...envPaths("secret")),
  ...inKind(
    { kind: "Ingress" },
    "spec/tls/secretName",
    "metadata/annotations/ingress.kubernetes.io\\/auth-secret",
    "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret",
    "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret",
  ),
  ...inKind({ kind: "ServiceAccount" }, "imagePullSecrets/name"),
  ...inKind(
    { kind: "StorageClass" },
    "parameters/secretName",
    "parameters/adminSecretName",
    "parameters/userSecretName",
    "parameters/secretRef",
  ),
  ...inKind({ kind: "Role" }, "rules/resourceNames"),
  ...inKind({ kind: "ClusterRole" }, "rules/resourceNames"),
  ...inKind(
    { group: "serving.knative.dev", version: "v1", kind: "Service" },
    "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
  ),
  ...inKind({ kind: "PersistentVolume" }, "spec/azureFile/secretName"),
  ...["AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"].flatMap((kind) =>
    inKind({ group: argo, kind }, "spec/args/valueFrom/secretKeyRef/name"),
  ),
];

const serviceReferrers: readonly FieldSpec[] = [
  ...inKind({ group: "apps", kind: "StatefulSet" }, "spec/serviceName"),
  ...inKind(
    { kind: "Ingress" },
    "spec/rules/http/paths/backend/serviceName",
    "spec/backend/serviceName",
    "spec/rules/http/paths/backend/service/name",
    "spec/defaultBackend/service/name",
  ),
  ...inKind({ group: "apiregistration.k8s.io", kind: "APIService" }, "spec/service/name"),
  ...["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].flatMap((kind) =>
    inKind({ group: "admissionregistration.k8s.io", kind }, "webhooks/clientConfig/service"),
  ),
  ...inKind(
    rollout,
    "spec/strategy/blueGreen/activeService",
    "spec/strategy/blueGreen/previewService",
    "spec/strategy/canary/canaryService",
    "spec/strategy/canary/stableService",
    "spec/strategy/canary/pingPong/pingService",
    "spec/strategy/canary/pingPong/pongService",
    "spec/strategy/canary/trafficRouting/alb/rootService",
  ),
];

const analysisPaths = [
  "canary/analysis/templates/templateName",
  "canary/steps/analysis/templates/templateName",
  "canary/steps/experiment/analyses/templateName",
  "blueGreen/prePromotionAnalysis/templates/templateName",
  "blueGreen/postPromotionAnalysis/templates/templateName",
].map((path) => `spec/strategy/${path}`);

const analysisReferrers: readonly FieldSpec[] = [
  ...inKind(rollout, ...analysisPaths),
  ...inKind({ group: argo, kind: "Experiment" }, "spec/analyses/templateName"),
  ...inKind({ group: argo, kind: "AnalysisTemplate" }, "spec/templates/templateName"),
  ...inKind({ group: argo, kind: "ClusterAnalysisTemplate" }, "spec/templates/templateName"),
];

const scaled: readonly NameReference[] = [
  { kind: "Deployment" },
  { kind: "ReplicationController" },
  { kind: "ReplicaSet" },
  { kind: "StatefulSet" },
  rollout,
].map((target) => ({ target, referrers: inKind({ kind: "HorizontalPodAutoscaler" }, "spec/scaleTargetRef/name") }));

export const nameReferences: readonly NameReference[] = [
  ...scaled,
  { target: { kind: "ConfigMap", version: "v1" }, referrers: configMapReferrers },
  { target: { kind: "Secret", version: "v1" }, referrers: secretReferrers },
  { target: { kind: "Service", version: "v1" }, referrers: serviceReferrers },
  {
    target: { kind: "Role", group: rbac },
    referrers: inKind({ kind: "RoleBinding", group: rbac }, "roleRef/name"),
  },
  {
    target: { kind: "ClusterRole", group: rbac },
    referrers: ["RoleBinding", "ClusterRoleBinding"].flatMap((kind) => inKind({ kind, group: rbac }, "roleRef/name")),
  },
  {
    target: { kind: "ServiceAccount", version: "v1" },
    referrers: [
      ...["RoleBinding", "ClusterRoleBinding"].flatMap((kind) => inKind({ kind, group: rbac }, "subjects")),
      ...inPods(latePodSpecs, "serviceAccountName"),
    ],
  },
  {
    target: { kind: "PersistentVolumeClaim", version: "v1" },
    referrers: inPods(latePodSpecs, "volumes/persistentVolumeClaim/claimName"),
  },
  {
    target: { kind: "PersistentVolume", version: "v1" },
    referrers: [
      ...inKind({ kind: "PersistentVolumeClaim" }, "spec/volumeName"),
      ...inKind({ kind: "ClusterRole" }, "rules/resourceNames"),
    ],
  },
  {
    target: { kind: "StorageClass", version: "v1", group: "storage.k8s.io" },
    referrers: [
      ...inKind({ kind: "PersistentVolume" }, "spec/storageClassName"),
      ...inKind({ kind: "PersistentVolumeClaim" }, "spec/storageClassName"),
      ...inKind({ kind: "StatefulSet" }, "spec/volumeClaimTemplates/spec/storageClassName"),
    ],
  },
  {
    target: { kind: "PriorityClass", version: "v1", group: "scheduling.k8s.io" },
    referrers: inPods(latePodSpecs, "priorityClassName"),
  },
  {
    target: { kind: "ValidatingAdmissionPolicy", group: "admissionregistration.k8s.io" },
    referrers: inKind(
      { kind: "ValidatingAdmissionPolicyBinding", group: "admissionregistration.k8s.io" },
      "spec/policyName",
    ),
  },
  { target: { kind: "AnalysisTemplate", group: argo }, referrers: analysisReferrers },
  { target: { kind: "ClusterAnalysisTemplate", group: argo }, referrers: analysisReferrers },
  {
    target: { kind: "Deployment", group: "apps" },
    referrers: inKind(rollout, "spec/workloadRef/name"),
  },
  {
    target: { kind: "Ingress", group: "networking.k8s.io" },
    referrers: inKind(
      rollout,
      "spec/strategy/canary/trafficRouting/nginx/stableIngress",
      "spec/strategy/canary/trafficRouting/alb/ingress",
    ),
  },
];
