/** Rollouts: look at them, and do to them what people do. */
import type { FastifyInstance } from "fastify";
import {
  analysisRuns,
  controllerOf,
  pods,
  type ReplicaSet,
  replicaSets,
  type Rollout,
  type RolloutAction,
  rolloutActions,
  type RolloutDetail,
  rollouts,
} from "#api";
import type { Clock } from "#lib";
import type { Cluster } from "#kube";
import type { Informers } from "#controller";
import {
  abortPatch,
  pausePatch,
  promoteFullPatch,
  promotePatch,
  restartPatch,
  resumePatch,
  retryPatch,
  type RolloutPatch,
  undo,
} from "#rollouts";
import type { Timeline } from "#timeline";
import { ApiError, badRequest, notFound } from "./api-error.ts";
import { rolloutDetail, rolloutSummary } from "./rollout-view.ts";
import { identityOf } from "./session.ts";

export interface RolloutRoutesOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

type Named = { Params: { namespace: string; name: string } };

export function rolloutRoutes(app: FastifyInstance, options: RolloutRoutesOptions): void {
  const { informers } = options;
  app.get("/rollouts", () => {
    const items = informers
      .for(rollouts)
      .list()
      .map((rollout) => rolloutSummary(rollout, ownedSets(informers, rollout)));
    return { items: items.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1)) };
  });
  app.get<Named>("/rollouts/:namespace/:name", async ({ params }) => {
    return await detailOf(options, requireRollout(informers, params.namespace, params.name));
  });
  app.post<Named & { Params: { action: string }; Body: { toRevision?: number } | null }>(
    "/rollouts/:namespace/:name/:action",
    async (request) => {
      const { namespace, name, action } = request.params;
      if (!(rolloutActions as readonly string[]).includes(action)) {
        throw badRequest(`"${action}" is not an action: use one of ${rolloutActions.join(", ")}`);
      }
      const rollout = requireRollout(informers, namespace, name);
      const message = await act(options, rollout, action as RolloutAction, request.body?.toRevision ?? 0);
      await recordAction(options, rollout, action, identityOf(request).name);
      return { message };
    },
  );
}

function requireRollout(informers: Informers, namespace: string, name: string): Rollout {
  const rollout = informers.for(rollouts).get(namespace, name);
  if (rollout === undefined) throw notFound(`rollout "${namespace}/${name}"`);
  return rollout;
}

function ownedSets(informers: Informers, rollout: Rollout): readonly ReplicaSet[] {
  const uid = rollout.metadata.uid ?? "";
  return informers
    .for(replicaSets)
    .ownedBy(uid)
    .filter((set) => controllerOf(set)?.uid === uid);
}

async function detailOf(options: RolloutRoutesOptions, rollout: Rollout): Promise<RolloutDetail> {
  const { informers, timeline } = options;
  const { namespace = "", name, uid = "" } = rollout.metadata;
  const events = await timeline.list({
    kinds: ["rollout-started", "rollout-step", "rollout-promoted", "rollout-aborted"],
    subject: `${namespace}/${name}`,
    limit: 200,
  });
  return rolloutDetail({
    rollout,
    replicaSets: ownedSets(informers, rollout),
    pods: informers.for(pods).list(namespace),
    analysisRuns: informers.for(analysisRuns).ownedBy(uid),
    events: events.toReversed(),
  });
}

async function act(
  options: RolloutRoutesOptions,
  rollout: Rollout,
  action: RolloutAction,
  toRevision: number,
): Promise<string> {
  const { name } = rollout.metadata;
  if (action !== "undo") {
    await applyPatch(options, rollout, patchFor(action, rollout, options.clock.now()));
    return `rollout '${name}' ${doneWord[action]}`;
  }
  const result = undo(rollout, ownedSets(options.informers, rollout), toRevision);
  if (result.kind === "refused") throw new ApiError("api/conflict", result.message);
  if (result.kind === "skipped") return result.message;
  const key = { namespace: rollout.metadata.namespace ?? "", name };
  const patch = [{ op: "replace", path: "/spec/template", value: result.template }] as const;
  await options.cluster.patch(rollouts, key, { type: "json", patch }, { signal: options.signal });
  return `rollout '${name}' undo to revision ${result.revision}`;
}

const doneWord: Readonly<Record<Exclude<RolloutAction, "undo">, string>> = {
  promote: "promoted",
  "promote-full": "fully promoted",
  abort: "aborted",
  retry: "retried",
  pause: "paused",
  resume: "resumed",
  restart: "restarts",
};

function patchFor(action: Exclude<RolloutAction, "undo">, rollout: Rollout, now: Temporal.Instant): RolloutPatch {
  switch (action) {
    case "promote":
      return promotePatch(rollout);
    case "promote-full":
      return promoteFullPatch(rollout);
    case "abort":
      return abortPatch();
    case "retry":
      return retryPatch();
    case "pause":
      return pausePatch();
    case "resume":
      return resumePatch();
    case "restart":
      return restartPatch(now);
  }
}

async function applyPatch(options: RolloutRoutesOptions, rollout: Rollout, patch: RolloutPatch): Promise<void> {
  const key = { namespace: rollout.metadata.namespace ?? "", name: rollout.metadata.name };
  const { signal } = options;
  const { cluster } = options;
  if (patch.spec !== undefined) {
    await cluster.patch(rollouts, key, { type: "merge", patch: { spec: patch.spec } }, { signal });
  }
  if (patch.status !== undefined) {
    const status = { type: "merge", patch: { status: patch.status } } as const;
    await cluster.patch(rollouts, key, status, { signal, subresource: "status" });
  }
}

async function recordAction(
  options: RolloutRoutesOptions,
  rollout: Rollout,
  action: string,
  actor: string,
): Promise<void> {
  const { namespace = "", name, resourceVersion = "" } = rollout.metadata;
  await options.timeline.record({
    id: `action:${namespace}/${name}:${action}:${resourceVersion}`,
    kind: "action",
    at: options.clock.now().toString({ smallestUnit: "millisecond" }),
    subject: `${namespace}/${name}`,
    title: `${actor} asked for ${action}`,
    tone: "neutral",
    actor,
    causes: [],
    data: { namespace, rollout: name, action },
  });
}
