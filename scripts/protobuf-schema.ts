/**
 * Makes `src/kube/server/protobuf/generated/messages.json` out of the struct tags of Kubernetes' Go types: the field
 * numbers by which typed Go clients encode request bodies, and the JSON names the fields have here.
 *
 *   node scripts/protobuf-schema.ts <checkout of kubernetes/api> <checkout of kubernetes/apimachinery>
 *
 * Go source rather than the .proto files because only it says which fields are pointers (whose zero is a value, such as
 * `replicas: 0`) and which are inlined in JSON.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Field number, JSON name, type, and flags: r repeated, m map of string to type, k zero counts, i inlined, p pointer,
 * w written to JSON even when zero.
 */
type Field = [number, string, string, string];

interface Package {
  readonly name: string;
  readonly folder: string;
}

const apiPackages = [
  "core/v1",
  "apps/v1",
  "batch/v1",
  "autoscaling/v1",
  "autoscaling/v2",
  "networking/v1",
  "policy/v1",
  "discovery/v1",
  "coordination/v1",
  "events/v1",
  "scheduling/v1",
  "node/v1",
  "storage/v1",
  "rbac/v1",
  "authentication/v1",
  "authorization/v1",
];

const roots = [
  "core.v1: Namespace ConfigMap Secret Event Node ServiceAccount Pod Service Endpoints PersistentVolumeClaim",
  "core.v1: PersistentVolume ResourceQuota LimitRange",
  "apps.v1: Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision",
  "batch.v1: Job CronJob",
  "autoscaling.v1: Scale HorizontalPodAutoscaler",
  "autoscaling.v2: HorizontalPodAutoscaler",
  "networking.v1: Ingress IngressClass NetworkPolicy",
  "policy.v1: PodDisruptionBudget Eviction",
  "discovery.v1: EndpointSlice",
  "coordination.v1: Lease",
  "events.v1: Event",
  "scheduling.v1: PriorityClass",
  "node.v1: RuntimeClass",
  "storage.v1: StorageClass",
  "rbac.v1: Role RoleBinding ClusterRole ClusterRoleBinding",
  "authentication.v1: SelfSubjectReview TokenReview TokenRequest",
  "authorization.v1: SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview LocalSubjectAccessReview",
  "meta.v1: DeleteOptions",
].flatMap((line) => {
  const [name = "", kinds = ""] = line.split(": ");
  return kinds.split(" ").map((kind) => `${name}.${kind}`);
});

const scalars: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  int: "int",
  int32: "int",
  int64: "int",
  uint8: "int",
  float64: "float",
  "[]byte": "bytes",
};

/** Types whose JSON is not that of their message; the decoder knows them by these names. */
const specials: ReadonlySet<string> = new Set([
  "meta.v1.Time",
  "meta.v1.MicroTime",
  "meta.v1.FieldsV1",
  "resource.Quantity",
  "intstr.IntOrString",
  "runtime.RawExtension",
]);

const structs = new Map<string, string>();
const aliases = new Map<string, string>();

function readPackage({ name, folder }: Package): void {
  for (const file of readdirSync(folder).filter((f) => f.endsWith(".go") && !f.endsWith("_test.go"))) {
    const source = readFileSync(join(folder, file), "utf8");
    for (const [, type = "", body = ""] of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      structs.set(`${name}.${type}`, body);
    }
    for (const [, type = "", target = ""] of source.matchAll(/^type (\w+) =? ?([\w.[\]*]+)(?: *\/\/.*)?$/gm)) {
      if (target !== "struct" && target !== "interface") aliases.set(`${name}.${type}`, target);
    }
  }
}

/** A Go type as a qualified name, seen from `home`. */
function qualify(type: string, home: string): string {
  if (type in scalars) return scalars[type] ?? type;
  const imported: Readonly<Record<string, string>> = {
    metav1: "meta.v1",
    v1: "core.v1",
    corev1: "core.v1",
    types: "types",
  };
  const dot = type.indexOf(".");
  if (dot < 0) return `${home}.${type}`;
  const prefix = type.slice(0, dot);
  // Only core/v1 itself is imported as plain `v1`; autoscaling and others use it for core.
  return `${imported[prefix] ?? prefix}.${type.slice(dot + 1)}`;
}

interface Shape {
  readonly type: string;
  readonly flags: string;
}

function shapeOf(goType: string, home: string): Shape {
  const pointer = goType.startsWith("*");
  const bare = pointer ? goType.slice(1) : goType;
  if (bare in scalars) return { type: scalars[bare] ?? bare, flags: pointer ? "k" : "" };
  if (bare.startsWith("[]")) return { type: shapeOf(bare.slice(2), home).type, flags: "r" };
  const map = /^map\[[\w.]+\](.+)$/.exec(bare);
  if (map !== null) return { type: shapeOf(map[1] ?? "", home).type, flags: "m" };
  const name = qualify(bare, home);
  if (name === "types.UID" || name.startsWith("types.")) return { type: "string", flags: pointer ? "k" : "" };
  const target = aliases.get(name);
  if (target === undefined) return { type: name, flags: pointer ? "k" : "" };
  // A named list is a message of its own with the items in field 1 (ExtraValue); a named map is just a map.
  if (target.startsWith("[]"))
    return { type: `list:${shapeOf(target.slice(2), home).type}`, flags: pointer ? "k" : "" };
  const inner = shapeOf(target, name.slice(0, name.lastIndexOf(".")));
  return pointer && inner.flags === "" ? { type: inner.type, flags: "k" } : inner;
}

function fieldsOf(name: string): Field[] {
  const home = name.slice(0, name.lastIndexOf("."));
  const fields: Field[] = [];
  for (const line of (structs.get(name) ?? "").split("\n")) {
    const match = /^\s*(?:(\w+)\s+)?([\w.*[\]]+)\s+`(.*)`/.exec(line);
    if (match === null) continue;
    const [, goName, goType = "", tags = ""] = match;
    const number = /protobuf:"\w+,(\d+)/.exec(tags)?.[1];
    if (number === undefined) continue;
    const [jsonName = "", ...options] = (/json:"([^"]*)"/.exec(tags)?.[1] ?? "").split(",");
    const { type, flags } = shapeOf(goType, home);
    const inline = jsonName === "" && goName === undefined ? "i" : "";
    const zeroCounts = flags === "" && !options.includes("omitempty") && !inline ? "k" : "";
    const pointer = goType.startsWith("*") ? "p" : "";
    const written = !inline && !options.includes("omitempty") ? "w" : "";
    fields.push([Number(number), jsonName, type, flags + inline + zeroCounts + pointer + written]);
  }
  return fields;
}

function isKnown(type: string): boolean {
  return structs.has(type) || specials.has(type) || Object.values(scalars).includes(type);
}

const [api, machinery] = process.argv.slice(2);
if (api === undefined || machinery === undefined)
  throw new Error("Give the checkouts of kubernetes/api and kubernetes/apimachinery");
for (const path of apiPackages) readPackage({ name: path.replace("/", "."), folder: join(api, path) });
readPackage({ name: "meta.v1", folder: join(machinery, "pkg/apis/meta/v1") });
const messages: Record<string, Field[]> = {};
const wanted = [...roots];
for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
  const bare = name.replace(/^list:/, "");
  if (bare in messages || (isKnown(bare) && !structs.has(bare)) || specials.has(bare)) continue;
  if (!structs.has(bare)) throw new Error(`No struct "${bare}"`);
  // Fields of alpha packages are left out: nothing here serves them.
  const fields = fieldsOf(bare).filter(([, , type]) => isKnown(type.replace(/^list:/, "")));
  messages[bare] = fields;
  wanted.push(...fields.map(([, , type]) => type));
}
const lines = Object.entries(messages)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
const output = join(import.meta.dirname, "../src/kube/server/protobuf/generated/messages.json");
writeFileSync(output, `{\n${lines.join(",\n")}\n}\n`);
process.stdout.write(`${lines.length} messages\n`);
