/** What containers may be told of their pod and of their own resources (the downward API): pure. */
import { type Container, milliOf, type Pod, type ResourceFieldSelector } from "#api";

export interface PodPlace {
  /** Where the pod is reachable. */
  readonly podIp: string;
  readonly hostIp: string;
  /** What the node has to give: stands in for a limit that is not set. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** A field that the pod has; `undefined` for a path that may not be used there, in upstream's words an unsupported one. */
export function podField(pod: Pod, path: string, place: PodPlace): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (subscript !== null) {
    const map = subscript[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[subscript[2] ?? ""] ?? "";
  }
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return accountOf(pod);
    case "status.podIP":
    case "status.podIPs":
      return place.podIp;
    case "status.hostIP":
    case "status.hostIPs":
      return place.hostIp;
    default:
      return undefined;
  }
}

/** Files may also have all labels or all annotations: one `key="value"` a line, by key. */
export function podFileField(pod: Pod, path: string, place: PodPlace): string | undefined {
  if (path === "metadata.labels") return lines(pod.metadata.labels);
  if (path === "metadata.annotations") return lines(pod.metadata.annotations);
  return podField(pod, path, place);
}

function lines(map: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(map ?? {}).sort();
  return keys.map((key) => `${key}=${JSON.stringify(map?.[key] ?? "")}`).join("\n");
}

export function accountOf(pod: Pod): string {
  const name = pod.spec.serviceAccountName ?? "";
  return name === "" ? "default" : name;
}

/**
 * A limit or request of a container, in units of the divisor and rounded up: `limits.cpu` of `250m` is 1 with divisor
 * 1, and 250 with divisor `1m`. A limit that is not set is what the node has, a request that is not set is 0.
 */
export function resourceField(
  pod: Pod,
  own: Container | undefined,
  selector: ResourceFieldSelector,
  place: PodPlace,
): string | undefined {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const named = selector.containerName ?? "";
  const container = named === "" ? own : all.find(({ name }) => name === named);
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  const [, list, resource] = match ?? [];
  if (container === undefined || resource === undefined) return undefined;
  const limit = container.resources?.limits?.[resource] ?? place.allocatable[resource];
  const text = list === "limits" ? limit : container.resources?.requests?.[resource];
  const divisor = milliOf(selector.divisor ?? "1") ?? 1000;
  return String(Math.ceil((milliOf(text ?? "0") ?? 0) / (divisor === 0 ? 1000 : divisor)));
}

export function identityOf(pod: Pod): { uid: string; namespace: string; name: string } {
  const { uid = "", namespace = "", name } = pod.metadata;
  return { uid, namespace, name };
}
