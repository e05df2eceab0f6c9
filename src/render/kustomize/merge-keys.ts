/**
 * How lists merge in a strategic merge patch: the `x-kubernetes-patch-merge-key` and `x-kubernetes-list-map-keys` of
 * the kinds of core, apps and batch. A list that is not here is replaced whole, and so is every list of a kind nobody
 * knows, custom resources included (as upstream without `openapi`).
 */
import { splitApiVersion } from "#api";

export interface MergeSchema {
  readonly fields?: Readonly<Record<string, MergeSchema>>;
  /** Fields that identify a list's item. Empty: a set of scalars. Absent: not a merging list. */
  readonly keys?: readonly string[];
  readonly item?: MergeSchema;
}

function list(keys: readonly string[], item?: MergeSchema): MergeSchema {
  return item === undefined ? { keys } : { keys, item };
}

function fields(map: Readonly<Record<string, MergeSchema>>): MergeSchema {
  return { fields: map };
}

const byName = list(["name"]);
const metadata = fields({ ownerReferences: list(["uid"]), finalizers: list([]) });
const conditions = fields({ conditions: list(["type"]) });

const container = fields({
  env: byName,
  ports: list(["containerPort", "protocol"]),
  volumeMounts: list(["mountPath"]),
  volumeDevices: list(["devicePath"]),
  resources: fields({ claims: byName }),
});

const podSpec = fields({
  containers: list(["name"], container),
  initContainers: list(["name"], container),
  ephemeralContainers: list(["name"], container),
  volumes: byName,
  imagePullSecrets: byName,
  hostAliases: list(["ip"]),
  topologySpreadConstraints: list(["topologyKey", "whenUnsatisfiable"]),
  schedulingGates: byName,
  resourceClaims: byName,
});

const podTemplate = fields({ metadata, spec: podSpec });
const workload = fields({ metadata, spec: fields({ template: podTemplate }), status: conditions });
const plain = fields({ metadata, status: conditions });
const webhooks = fields({ metadata, webhooks: byName });

const schemas: Readonly<Record<string, MergeSchema>> = {
  "/Pod": fields({ metadata, spec: podSpec, status: conditions }),
  "/PodTemplate": fields({ metadata, template: podTemplate }),
  "/ReplicationController": workload,
  "/Service": fields({ metadata, spec: fields({ ports: list(["port", "protocol"]) }), status: conditions }),
  "/ServiceAccount": fields({ metadata, secrets: byName }),
  "apps/Deployment": workload,
  "apps/ReplicaSet": workload,
  "apps/DaemonSet": workload,
  "apps/StatefulSet": workload,
  "batch/Job": workload,
  "batch/CronJob": fields({
    metadata,
    spec: fields({ jobTemplate: fields({ metadata, spec: fields({ template: podTemplate }) }) }),
  }),
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": webhooks,
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": webhooks,
};

/** Groups whose every kind has the common metadata schema; others are custom resources. */
const builtinGroup = /^(?:|apps|batch|autoscaling|policy|[a-z.-]+\.k8s\.io)$/;

/** The schema of a kind; undefined for custom resources, whose lists are all replaced. */
export function mergeSchemaOf(apiVersion: string, kind: string): MergeSchema | undefined {
  const { group } = splitApiVersion(apiVersion);
  return schemas[`${group}/${kind}`] ?? (builtinGroup.test(group) ? plain : undefined);
}
