/** Marks cordoned nodes, and takes pods away from nodes whose taints they do not bear. */
import { type Node, nodes, type Pod, pods } from "#api";
import { type Controller, createController, type Outcome, recordEvent, settled, watching } from "#controller";
import { isKubeError } from "#kube";
import { toTimestamp } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { evictionMs, wantedTaints } from "./plan-taints.ts";

export function createTaintController(context: ControllerContext): Controller {
  const known = context.informers.for(nodes);
  const allPods = context.informers.for(pods);
  /** By pod, since when its node drives pods away; in memory only, so that a restart begins the count anew. */
  const since = new Map<string, number>();
  return createController({
    ...context,
    name: "taint-eviction-controller",
    primary: nodes,
    watches: [
      watching(pods, ({ spec }) =>
        (spec.nodeName ?? "") === "" ? [] : [{ namespace: "", name: spec.nodeName ?? "" }],
      ),
    ],
    async reconcile({ name }, signal) {
      const node = known.get("", name);
      if (node === undefined) return settled;
      const taints = wantedTaints(node, toTimestamp(context.clock.now()));
      if (taints !== undefined) await setTaints(context, node, taints, signal);
      if (!(node.spec?.taints ?? []).some(({ effect }) => effect === "NoExecute")) {
        since.clear();
        return settled;
      }
      return await evict(context, node, allPods.list(), since, signal);
    },
  });
}

async function setTaints(
  { cluster }: ControllerContext,
  { metadata }: Node,
  taints: NonNullable<ReturnType<typeof wantedTaints>>,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  const spec = { taints: taints.length === 0 ? null : taints };
  const patch = { metadata: { uid, resourceVersion }, spec };
  await cluster.patch(nodes, { name }, { type: "merge", patch }, { signal });
}

async function evict(
  context: ControllerContext,
  node: Node,
  all: readonly Pod[],
  since: Map<string, number>,
  signal: AbortSignal,
): Promise<Outcome> {
  const nowMs = context.clock.now().epochMilliseconds;
  let nextMs = Infinity;
  for (const pod of all) {
    const { uid = "" } = pod.metadata;
    const atMs = evictionMs(node, pod, since.get(uid) ?? nowMs);
    if (atMs === undefined) continue;
    if (!since.has(uid)) since.set(uid, nowMs);
    if (atMs <= nowMs) await remove(context, pod, signal);
    else nextMs = Math.min(nextMs, atMs);
  }
  return nextMs === Infinity ? settled : { kind: "wait", ms: nextMs - nowMs, reason: "a toleration ends then" };
}

async function remove(context: ControllerContext, pod: Pod, signal: AbortSignal): Promise<void> {
  const { namespace = "", name, uid = "" } = pod.metadata;
  const message = `Marking for deletion Pod ${namespace}/${name}`;
  const text = { type: "Normal", reason: "TaintManagerEviction", message } as const;
  await recordEvent({ ...context, component: "taint-eviction-controller" }, pods, pod, text, signal);
  try {
    await context.cluster.delete(pods, { namespace, name }, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
  }
}
