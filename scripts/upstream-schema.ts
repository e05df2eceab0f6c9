/**
 * Makes `src/kube/server/schema/generated/upstream.json` out of Kubernetes' own OpenAPI document: the shapes of the
 * kinds served here and everything they refer to, without prose.
 *
 *   node scripts/upstream-schema.ts <swagger.json>
 *
 * The input is the `swagger.json` a Kubernetes API server prints at /openapi/v2 (Apache-2.0).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Node = Record<string, unknown>;

const roots = [
  "core.v1.Namespace core.v1.ConfigMap core.v1.Secret core.v1.Event core.v1.Node core.v1.ServiceAccount core.v1.Pod",
  "core.v1.Service core.v1.Endpoints core.v1.PersistentVolumeClaim core.v1.PersistentVolume core.v1.LimitRange",
  "core.v1.ResourceQuota core.v1.ReplicationController core.v1.PodTemplate",
  "apps.v1.Deployment apps.v1.ReplicaSet apps.v1.StatefulSet apps.v1.DaemonSet apps.v1.ControllerRevision",
  "batch.v1.Job batch.v1.CronJob autoscaling.v1.Scale autoscaling.v1.HorizontalPodAutoscaler autoscaling.v2.HorizontalPodAutoscaler",
  "networking.v1.Ingress networking.v1.IngressClass networking.v1.NetworkPolicy policy.v1.PodDisruptionBudget",
  "discovery.v1.EndpointSlice coordination.v1.Lease events.v1.Event scheduling.v1.PriorityClass storage.v1.StorageClass",
  "node.v1.RuntimeClass",
  "rbac.v1.Role rbac.v1.RoleBinding rbac.v1.ClusterRole rbac.v1.ClusterRoleBinding",
].flatMap((line) => line.split(" ").map((name) => `io.k8s.api.${name}`));

const machineryRoots = [
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
  "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
  "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
];

/** Defaults that are part of the keys of list maps, which upstream's document leaves out. */
const keyDefaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "io.k8s.api.core.v1.ContainerPort": { protocol: "TCP" },
  "io.k8s.api.core.v1.ServicePort": { protocol: "TCP" },
};

const oldPrefix = "#/definitions/";
const newPrefix = "#/components/schemas/";

/** `inProperties`: the keys are field names then (one kind has a field called `description`, one called `$ref`). */
function strip(value: unknown, inProperties: boolean, refs: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, false, refs));
  if (typeof value !== "object" || value === null) return value;
  const result: Node = {};
  for (const [key, inner] of Object.entries(value as Node)) {
    if (!inProperties && key === "description") continue;
    if (!inProperties && key === "$ref" && typeof inner === "string") {
      refs.add(inner.slice(oldPrefix.length));
      result[key] = newPrefix + inner.slice(oldPrefix.length);
    } else result[key] = strip(inner, !inProperties && key === "properties", refs);
  }
  return result;
}

const input = process.argv[2];
if (input === undefined) throw new Error("Give the path of swagger.json");
const definitions = (JSON.parse(readFileSync(input, "utf8")) as { definitions: Record<string, Node> }).definitions;
const schemas: Record<string, Node> = {};
const wanted = [...roots, ...machineryRoots];
for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`No definition "${name}" in "${input}"`);
  if (schemas[name] !== undefined) continue;
  const refs = new Set<string>();
  const schema = strip(definition, false, refs) as Node;
  const properties = schema["properties"] as Record<string, Node> | undefined;
  for (const [field, value] of Object.entries(keyDefaults[name] ?? {})) {
    const property = properties?.[field];
    if (property !== undefined) property["default"] = value;
  }
  schemas[name] = schema;
  wanted.push(...refs);
}
const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
const output = join(import.meta.dirname, "../src/kube/server/schema/generated/upstream.json");
writeFileSync(
  output,
  `{\n${Object.entries(sorted)
    .map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`)
    .join(",\n")}\n}\n`,
);
process.stdout.write(`${Object.keys(sorted).length} schemas\n`);
