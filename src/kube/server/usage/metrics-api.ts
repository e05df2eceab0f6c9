/**
 * `metrics.k8s.io/v1beta1`: what nodes and pods use now, for `kubectl top` and whoever scales by it. Read only; nothing
 * of it is stored, and there is nothing to watch.
 */
import { type AnyObject, nodes, pods } from "#api";
import { toTimestamp } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { MeasuredUsage, UsagePort } from "../../ports.ts";
import { type Answer, ok } from "../http/answer.ts";
import type { KubeFace, KubeRequest } from "../http/kube-request.ts";
import type { ResourcePath } from "../http/request-path.ts";
import { selectionOf } from "../select/selection.ts";

export const metricsGroup = "metrics.k8s.io";
export const metricsVersion = "v1beta1";
const apiVersion = `${metricsGroup}/${metricsVersion}`;

type Item = Record<string, unknown>;

export function answerUsage(face: KubeFace, request: KubeRequest, path: ResourcePath): Answer {
  if (path.version !== metricsVersion || path.subresource !== undefined) throw noSuchPath();
  if (request.method !== "GET") {
    throw new KubeError("MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  if (path.plural === "nodes" && path.namespace === undefined) return nodeAnswer(face, request, path);
  if (path.plural === "pods") return podAnswer(face, request, path);
  throw noSuchPath();
}

function nodeAnswer(face: KubeFace, request: KubeRequest, path: ResourcePath): Answer {
  const usages = new Map((usageOf(face)?.nodes() ?? []).map((usage) => [usage.name, usage]));
  const items = selected(face, nodes, request, path).flatMap((node) => {
    const usage = usages.get(node.metadata.name);
    return usage === undefined ? [] : [{ ...head("NodeMetrics", node, usage), usage: quantities(usage) }];
  });
  return found(items, "NodeMetrics", path);
}

function podAnswer(face: KubeFace, request: KubeRequest, path: ResourcePath): Answer {
  const usages = new Map((usageOf(face)?.pods() ?? []).map((usage) => [usage.uid, usage]));
  const items = selected(face, pods, request, path).flatMap((pod) => {
    const usage = usages.get(pod.metadata.uid ?? "");
    if (usage === undefined) return [];
    const containers = usage.containers.map((container) => ({ name: container.name, usage: quantities(container) }));
    return [{ ...head("PodMetrics", pod, usage), containers }];
  });
  return found(items, "PodMetrics", path);
}

function usageOf(face: KubeFace): UsagePort | undefined {
  return face.usage;
}

/** The objects that the request is about: their names and labels are what it selects by. */
function selected(
  { objects }: KubeFace,
  type: typeof nodes | typeof pods,
  { query }: KubeRequest,
  path: ResourcePath,
): readonly AnyObject[] {
  const kind = objects.kinds.find(type.group, type.version, type.plural);
  if (kind === undefined) return [];
  const selection = selectionOf(kind, {
    namespace: path.namespace,
    labelSelector: query.get("labelSelector") ?? undefined,
    fieldSelector: query.get("fieldSelector") ?? undefined,
  });
  const all = objects.list(kind, selection);
  return path.name === undefined ? all : all.filter(({ metadata }) => metadata.name === path.name);
}

function head(kind: string, { metadata }: AnyObject, { at, windowMs }: MeasuredUsage): Item {
  const { name, namespace, labels } = metadata;
  return {
    kind,
    apiVersion,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: toTimestamp(at),
      ...(labels === undefined ? {} : { labels }),
    },
    timestamp: toTimestamp(at),
    window: `${Number((windowMs / 1000).toFixed(3))}s`,
  };
}

function quantities({ cpuNanoCores, memoryBytes }: { cpuNanoCores: number; memoryBytes: number }): Item {
  return { cpu: `${cpuNanoCores}n`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}

function found(items: readonly Item[], kind: string, path: ResourcePath): Answer {
  if (path.name === undefined) return ok({ kind: `${kind}List`, apiVersion, metadata: {}, items: items.map(plain) });
  const [item] = items;
  if (item !== undefined) return ok(item);
  const name = path.namespace === undefined ? path.name : `${path.namespace}/${path.name}`;
  const message = `${kind.toLowerCase()}.${metricsGroup} "${name}" not found`;
  throw new KubeError("NotFound", message, { name, group: metricsGroup, kind: kind.toLowerCase() });
}

/** Items of a list do not repeat its type. */
function plain({ kind: _kind, apiVersion: _version, ...item }: Item): Item {
  return item;
}

function noSuchPath(): KubeError {
  return new KubeError("NotFound", "the server could not find the requested resource");
}
