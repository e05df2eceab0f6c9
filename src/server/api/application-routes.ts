/** Applications: look at them, compare, sync, roll back. */
import type { FastifyInstance } from "fastify";
import {
  type Application,
  type ApplicationDetail,
  applications,
  type ApplicationSummary,
  type ResourceNode,
} from "#api";
import { errorMessage } from "#lib";
import type { Cluster } from "#kube";
import type { Informers } from "#controller";
import type { Gitops, SyncRequest } from "#gitops";
import { type ApiError, badRequest, notFound } from "./api-error.ts";
import { identityOf } from "./session.ts";

export interface ApplicationRoutesOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly gitops: Gitops;
  readonly signal: AbortSignal;
}

interface Key {
  readonly namespace: string;
  readonly name: string;
}
type Named = { Params: Key };
type SyncBody = Pick<SyncRequest, "revision" | "prune" | "dryRun"> | null;

export function applicationRoutes(app: FastifyInstance, options: ApplicationRoutesOptions): void {
  const { cluster, informers, gitops, signal } = options;
  const all = informers.for(applications);
  app.get("/applications", () => {
    const items = all.list().map(applicationSummary);
    return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  });
  app.get<Named>("/applications/:namespace/:name", async ({ params }) => {
    // From the store itself: who has just asked for a sync must not be shown what was before.
    const application = await cluster.get<Application>(applications, params, { signal });
    if (application === undefined) throw notApplication(params);
    return await applicationDetail(options, application);
  });
  app.get<Named>("/applications/:namespace/:name/diff", async ({ params }) => ({
    items: await gitops.diff(params, signal),
  }));
  app.post<Named & { Body: SyncBody }>("/applications/:namespace/:name/sync", async (request) => {
    requireApplication(informers, request.params);
    await gitops.sync(request.params, { ...request.body, username: identityOf(request).name }, signal);
    return {};
  });
  app.post<Named>("/applications/:namespace/:name/refresh", ({ params }) => {
    requireApplication(informers, params);
    gitops.refresh(params);
    return {};
  });
  app.post<Named & { Body: { id?: number } | null }>("/applications/:namespace/:name/rollback", async (request) => {
    const id = request.body?.id;
    if (typeof id !== "number") throw badRequest("A rollback needs the id of an entry of the history");
    await gitops.rollback(request.params, id, signal);
    return { message: `application '${request.params.name}' syncs to entry ${id} of its history` };
  });
}

function requireApplication(informers: Informers, key: Key): Application {
  const found = informers.for(applications).get(key.namespace, key.name);
  if (found === undefined) throw notApplication(key);
  return found;
}

function notApplication({ namespace, name }: Key): ApiError {
  return notFound(`application "${namespace}/${name}"`);
}

function applicationSummary(application: Application): ApplicationSummary {
  const { metadata, spec, status } = application;
  const operation = status?.operationState;
  const automated = spec.syncPolicy?.automated;
  const revision = status?.sync?.revision;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    repoURL: spec.source?.repoURL ?? "",
    path: spec.source?.path ?? ".",
    targetRevision: spec.source?.targetRevision ?? "HEAD",
    destinationNamespace: spec.destination.namespace ?? "",
    sync: status?.sync?.status ?? "Unknown",
    health: status?.health?.status ?? "Unknown",
    ...(revision === undefined ? {} : { revision }),
    automated: automated !== undefined && automated.enabled !== false,
    operationPending: application.operation !== undefined && application.operation !== null,
    ...(operation === undefined
      ? {}
      : {
          operationPhase: operation.phase,
          operationMessage: operation.message ?? "",
          operationStartedAt: operation.startedAt,
        }),
    images: status?.summary?.images ?? [],
  };
}

async function applicationDetail(
  options: ApplicationRoutesOptions,
  application: Application,
): Promise<ApplicationDetail> {
  const { status, metadata } = application;
  const conditions = (status?.conditions ?? []).map(({ type, message, lastTransitionTime }) => ({
    type,
    message,
    ...(lastTransitionTime === undefined ? {} : { at: lastTransitionTime }),
  }));
  const history = (status?.history ?? []).map(({ id, revision, deployedAt }) => ({ id, revision, deployedAt }));
  const key = { namespace: metadata.namespace ?? "", name: metadata.name };
  const { tree, problem } = await treeOf(options, key);
  // What cannot be compared has no tree; the reason is a condition already, unless looking itself failed.
  const extra = problem === undefined || conditions.length > 0 ? [] : [{ type: "ComparisonError", message: problem }];
  return { ...applicationSummary(application), conditions: [...conditions, ...extra], history, tree };
}

async function treeOf(
  { gitops, signal }: ApplicationRoutesOptions,
  key: Key,
): Promise<{ tree: readonly ResourceNode[]; problem?: string }> {
  try {
    return { tree: await gitops.tree(key, signal) };
  } catch (error) {
    return { tree: [], problem: errorMessage(error) };
  }
}
