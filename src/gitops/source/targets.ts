/** Rendered manifests as the objects of one Application: in their namespace, marked, hooks told apart. Pure. */
import type { AnyObject, Application, ApplicationCondition, ResourceType } from "#api";
import { normaliseTarget } from "../diff/normalise.ts";
import { keyOfObject, keyText } from "../object-key.ts";
import { hookOf } from "../sync/hooks.ts";
import { instanceName, withTracking } from "../tracking.ts";

export interface Targets {
  readonly objects: readonly AnyObject[];
  readonly hooks: readonly AnyObject[];
  readonly conditions: readonly ApplicationCondition[];
}

export function targetsOf(
  application: Application,
  manifests: readonly AnyObject[],
  resolveType: (apiVersion: string, kind: string) => ResourceType | undefined,
): Targets {
  const conditions: ApplicationCondition[] = [];
  const objects = new Map<string, AnyObject>();
  const hooks: AnyObject[] = [];
  for (const manifest of manifests) {
    const object = placed(manifest, application, resolveType(manifest.apiVersion, manifest.kind));
    if (hookOf(object) !== undefined) {
      hooks.push(object);
      continue;
    }
    const key = keyText(keyOfObject(object));
    const { kind, metadata } = object;
    if (objects.has(key)) {
      const message = `${kind} "${metadata.name}" appears more than once among the manifests: the last one counts`;
      conditions.push({ type: "RepeatedResourceWarning", message });
    }
    objects.set(key, withTracking(object, instanceName(application)));
  }
  return { objects: [...objects.values()], hooks, conditions };
}

/** A kind nobody serves yet (its CRD may come with this very sync) counts as namespaced. */
function placed(manifest: AnyObject, application: Application, type: ResourceType | undefined): AnyObject {
  const object = normaliseTarget(manifest);
  if (type?.namespaced === false) delete object.metadata.namespace;
  else object.metadata.namespace ||= application.spec.destination.namespace ?? "";
  if (object.metadata.namespace === "") delete object.metadata.namespace;
  return object;
}

/** Namespaced objects that have no namespace at all, as a message; undefined when there is none. */
export function missingNamespace(
  { objects, hooks }: Targets,
  resolveType: (apiVersion: string, kind: string) => ResourceType | undefined,
): string | undefined {
  const found = [...objects, ...hooks].find(
    ({ apiVersion, kind, metadata }) =>
      metadata.namespace === undefined && resolveType(apiVersion, kind)?.namespaced === true,
  );
  if (found === undefined) return undefined;
  return `Namespace of ${found.kind} "${found.metadata.name}" is missing: set metadata.namespace or spec.destination.namespace`;
}
