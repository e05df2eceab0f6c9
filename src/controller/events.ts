/** Kubernetes Events: how users learn what a controller did. Equal events are counted up rather than repeated. */
import { apiVersionOf, type Event, events, type KubeObject, type ResourceType } from "#api";
import { type Clock, sha256Hex, toTimestamp } from "#lib";
import { type Cluster, isKubeError } from "#kube";

export interface EventRecorderOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** The component users see as source, e.g. `rollouts-controller`. */
  readonly component: string;
}

export interface EventText {
  readonly type: "Normal" | "Warning";
  /** CamelCase, machine-readable. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Records `text` about `object`. The name is derived from object, reason and message, so the same happening is one
 * object whose `count` grows, also when a reconcile is repeated after a crash. An event never fails its caller's work:
 * a namespace that is going away simply gets none.
 */
export async function recordEvent<T extends KubeObject>(
  options: EventRecorderOptions,
  type: ResourceType<T>,
  object: T,
  text: EventText,
  signal: AbortSignal,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "default";
  const identity = [object.metadata.uid, text.type, text.reason, text.message].join("\n");
  // A name has at most 253 characters, and none of its parts ends with a dash.
  const prefix = object.metadata.name.slice(0, 253 - 17).replace(/[-.]+$/, "");
  const name = `${prefix}.${sha256Hex(identity).slice(0, 16)}`;
  const time = toTimestamp(options.clock.now());
  try {
    const old = await options.cluster.get(events, { namespace, name }, { signal });
    if (old === undefined) {
      await options.cluster.create(events, newEvent(options, type, object, text, { namespace, name, time }), {
        signal,
      });
    } else {
      const patch = { count: (old.count ?? 1) + 1, lastTimestamp: time };
      await options.cluster.patch(events, { namespace, name }, { type: "merge", patch }, { signal });
    }
  } catch (error) {
    const harmless = ["NotFound", "Forbidden", "AlreadyExists", "Conflict"] as const;
    if (!harmless.some((reason) => isKubeError(error, reason))) throw error;
  }
}

function newEvent<T extends KubeObject>(
  options: EventRecorderOptions,
  type: ResourceType<T>,
  object: T,
  text: EventText,
  at: { readonly namespace: string; readonly name: string; readonly time: string },
): Event {
  const involved: Event["involvedObject"] = {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    name: object.metadata.name,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
    ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }),
  };
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: at.name, namespace: at.namespace },
    involvedObject: involved,
    ...text,
    count: 1,
    source: { component: options.component },
    reportingComponent: options.component,
    firstTimestamp: at.time,
    lastTimestamp: at.time,
  };
}
