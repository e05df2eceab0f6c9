/** Brings objects into the form in which live and target compare: nothing that only a server sets, nothing that says the same in two ways. */
import { builtinKinds, splitApiVersion, type AnyObject, type KindDefinition } from "#api";
import { isObject } from "#lib";
import { withoutNulls } from "./three-way.ts";

export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

const serverMetadata = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
];

/** Annotations that controllers keep on objects; they are nobody's drift. */
const controllerAnnotations: ReadonlySet<string> = new Set([
  lastAppliedAnnotation,
  "deployment.kubernetes.io/revision",
  "rollout.argoproj.io/revision",
  "rollout.argoproj.io/workload-generation",
]);

const definitions: ReadonlyMap<string, KindDefinition> = new Map(
  builtinKinds.map((definition) => [
    `${definition.type.group}/${definition.type.version}/${definition.type.kind}`,
    definition,
  ]),
);

/** A manifest as it is applied: without status, nulls and what only servers write. */
export function normaliseTarget(manifest: AnyObject): AnyObject {
  const object = withoutNulls(manifest) as AnyObject;
  delete object["status"];
  for (const field of serverMetadata) delete (object.metadata as unknown as Record<string, unknown>)[field];
  return object.kind === "Secret" && object.apiVersion === "v1" ? encodeSecret(object) : object;
}

/** A copy to compare: defaults filled in, server fields and status gone. */
export function comparable(object: AnyObject): AnyObject {
  const copy = structuredClone(object);
  delete copy["status"];
  const metadata = copy.metadata as unknown as Record<string, unknown>;
  for (const field of serverMetadata) delete metadata[field];
  dropControllerAnnotations(metadata);
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"])
    if (isEmpty(metadata[field])) delete metadata[field];
  applyDefaults(copy);
  for (const field of copy.kind === "Role" || copy.kind === "ClusterRole" ? ["rules"] : [])
    if (isEmpty(copy[field])) delete copy[field];
  return copy;
}

function applyDefaults(object: AnyObject): void {
  const { group, version } = splitApiVersion(object.apiVersion);
  const definition = definitions.get(`${group}/${version}/${object.kind}`);
  try {
    definition?.setDefaults?.(object);
  } catch (error) {
    // A manifest of the wrong shape trips its kind's code; the API server will say what is wrong with it.
    if (!(error instanceof TypeError)) throw error;
  }
}

function dropControllerAnnotations(metadata: Record<string, unknown>): void {
  const { annotations } = metadata;
  if (!isObject(annotations)) return;
  const kept = Object.entries(annotations).filter(([name]) => !controllerAnnotations.has(name));
  metadata["annotations"] = Object.fromEntries(kept);
}

/** `stringData` is write-only: the server folds it into `data`. */
function encodeSecret(object: AnyObject): AnyObject {
  const { stringData, ...secret } = object;
  if (!isObject(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString("base64"),
  ]);
  const data = isObject(object["data"]) ? object["data"] : {};
  return { ...secret, data: { ...data, ...Object.fromEntries(encoded) } };
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Secret values as fingerprints, for showing: equal values look equal, and none can be read. */
export function withoutSecrets(object: AnyObject, fingerprint: (text: string) => string): AnyObject {
  if (object.kind !== "Secret" || !isObject(object["data"])) return object;
  const data = Object.entries(object["data"]).map(([key, value]) => [
    key,
    `+++ ${fingerprint(String(value)).slice(0, 8)}`,
  ]);
  return { ...object, data: Object.fromEntries(data) };
}
