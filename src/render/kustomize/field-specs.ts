/**
 * Which fields labels, annotations and replicas reach, per kind: Kustomize's built-in table, plus what Argo's own
 * transformer configuration adds for `Rollout` (without it, a label added to a Service's selector would never reach the
 * pods, and the Service would have no endpoints).
 */
import type { FieldSpec } from "./field-path.ts";

const rollout = { group: "argoproj.io", kind: "Rollout" } as const;

const templateLabelSpecs: readonly FieldSpec[] = [
  { path: "spec/template/metadata/labels", create: true, version: "v1", kind: "ReplicationController" },
  { path: "spec/template/metadata/labels", create: true, kind: "Deployment" },
  { path: "spec/template/metadata/labels", create: true, kind: "ReplicaSet" },
  { path: "spec/template/metadata/labels", create: true, kind: "DaemonSet" },
  { path: "spec/template/metadata/labels", create: true, group: "apps", kind: "StatefulSet" },
  { path: "spec/template/metadata/labels", create: true, group: "batch", kind: "Job" },
  { path: "spec/jobTemplate/metadata/labels", create: true, group: "batch", kind: "CronJob" },
  { path: "spec/jobTemplate/spec/template/metadata/labels", create: true, group: "batch", kind: "CronJob" },
  { path: "spec/template/metadata/labels", create: true, ...rollout },
];

const affinitySpecs: readonly FieldSpec[] = ["Deployment", "StatefulSet"].flatMap((kind) =>
  [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    // Upstream's table says `matchLabel` here, so preferred anti-affinity is never reached; equal output matters more.
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabel",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
  ].map((path) => ({ path: `spec/template/spec/${path}`, group: "apps", kind })),
);

const selectorSpecs: readonly FieldSpec[] = [
  { path: "spec/selector", create: true, version: "v1", kind: "Service" },
  { path: "spec/selector", create: true, version: "v1", kind: "ReplicationController" },
  { path: "spec/selector/matchLabels", create: true, kind: "Deployment" },
  { path: "spec/selector/matchLabels", create: true, kind: "ReplicaSet" },
  { path: "spec/selector/matchLabels", create: true, kind: "DaemonSet" },
  { path: "spec/selector/matchLabels", create: true, group: "apps", kind: "StatefulSet" },
  { path: "spec/selector/matchLabels", create: true, ...rollout },
  ...affinitySpecs,
  { path: "spec/selector/matchLabels", group: "batch", kind: "Job" },
  { path: "spec/jobTemplate/spec/selector/matchLabels", group: "batch", kind: "CronJob" },
  { path: "spec/selector/matchLabels", group: "policy", kind: "PodDisruptionBudget" },
  { path: "spec/podSelector/matchLabels", group: "networking.k8s.io", kind: "NetworkPolicy" },
  { path: "spec/ingress/from/podSelector/matchLabels", group: "networking.k8s.io", kind: "NetworkPolicy" },
  { path: "spec/egress/to/podSelector/matchLabels", group: "networking.k8s.io", kind: "NetworkPolicy" },
];

export const labelSpecs = {
  metadata: [{ path: "metadata/labels", create: true }],
  templates: templateLabelSpecs,
  volumeClaims: [
    { path: "spec/volumeClaimTemplates[]/metadata/labels", create: true, group: "apps", kind: "StatefulSet" },
  ],
  selectors: selectorSpecs,
} as const satisfies Record<string, readonly FieldSpec[]>;

export const annotationSpecs: readonly FieldSpec[] = [
  { path: "metadata/annotations", create: true },
  ...templateLabelSpecs.map((spec) => ({ ...spec, path: spec.path.replace(/labels$/, "annotations") })),
].map((spec) => (spec.kind === "StatefulSet" ? { path: spec.path, create: true, kind: "StatefulSet" } : spec));

export const replicaSpecs: readonly FieldSpec[] = [
  ...["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map((kind) => ({
    path: "spec/replicas",
    create: true,
    kind,
  })),
  { path: "spec/replicas", create: true, ...rollout },
];

/** Beyond `containers` and `initContainers`, which are found wherever they stand. */
export const imageSpecs: readonly FieldSpec[] = [
  { path: "spec/volumes[]/image/reference" },
  { path: "spec/template/spec/volumes[]/image/reference" },
];
