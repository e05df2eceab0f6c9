/** Which Application an object belongs to. */
import { trackingIdAnnotation, type AnyObject, type Application } from "#api";
import { annotationOf, keyOfObject, keyText, type ObjectKey } from "./object-key.ts";

/** Applications of this namespace are named without it, as upstream names them. */
export const controllerNamespace = "argocd";

export function instanceName(application: Application): string {
  const { namespace = controllerNamespace, name } = application.metadata;
  return namespace === controllerNamespace ? name : `${namespace}_${name}`;
}

/** The Application that an instance name means. */
export function applicationOfInstance(instance: string): { readonly namespace: string; readonly name: string } {
  const [namespace, name] = instance.split("_", 2);
  return name === undefined ? { namespace: controllerNamespace, name: instance } : { namespace: namespace ?? "", name };
}

function trackingId(instance: string, key: ObjectKey): string {
  return `${instance}:${keyText(key)}`;
}

/** The instance an object belongs to. A copy, whose mark names the original, belongs to nobody. */
export function ownerInstance(object: AnyObject): string | undefined {
  const mark = annotationOf(object, trackingIdAnnotation);
  const colon = mark?.indexOf(":") ?? -1;
  if (mark === undefined || colon < 1) return undefined;
  return mark.slice(colon + 1) === keyText(keyOfObject(object)) ? mark.slice(0, colon) : undefined;
}

export function withTracking(object: AnyObject, instance: string): AnyObject {
  const mark = trackingId(instance, keyOfObject(object));
  const annotations = { ...object.metadata.annotations, [trackingIdAnnotation]: mark };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
