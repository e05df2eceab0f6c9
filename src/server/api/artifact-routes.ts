/** Artifacts of runs and caches of repositories: list, download, delete. */
import type { FastifyInstance } from "fastify";
import type { ArtifactSummary, CacheSummary } from "#api";
import type { ArtifactService, ArtifactView } from "#artifacts";
import type { Repositories } from "#git";
import type { Workflows } from "#workflows";
import { badRequest, notFound } from "./api-error.ts";

export interface ArtifactRoutesOptions {
  readonly artifacts: ArtifactService;
  readonly workflows: Workflows;
  readonly repositories: Repositories;
}

interface CacheRoute {
  Params: { owner: string; repo: string };
  Querystring: { id?: string; key?: string };
}

export function artifactRoutes(app: FastifyInstance, options: ArtifactRoutesOptions): void {
  const { artifacts: service, workflows } = options;
  app.get<{ Params: { id: string } }>("/runs/:id/artifacts", async ({ params }) => {
    if ((await workflows.getRunView(params.id)) === undefined) throw notFound(`run ${params.id}`);
    const items: readonly ArtifactSummary[] = await service.artifacts.list(params.id);
    return { items };
  });
  reportRoutes(app, options);
  app.get<{ Params: { id: string } }>("/artifacts/:id/download", async ({ params }, reply) => {
    const artifact = await find(service, params.id);
    const zipped = artifact.mimeType === "application/zip";
    const fileName = zipped ? `${artifact.name}.zip` : artifact.name;
    const address = { id: artifact.blob, access: "read" } as const;
    // To an address that lives an hour and carries its own permission: whoever downloads large files need not be us.
    return await reply.redirect(service.urls.pathFor(address, { contentType: artifact.mimeType, fileName }), 302);
  });
  app.delete<{ Params: { id: string } }>("/artifacts/:id", async ({ params }) => {
    const { id, name } = await find(service, params.id);
    await service.artifacts.remove(id);
    return { id, name };
  });
  app.get<CacheRoute>("/caches/:owner/:repo", async ({ params }) => {
    const items: readonly CacheSummary[] = await service.caches.list(await repositoryOf(options, params));
    return { items };
  });
  app.delete<CacheRoute>("/caches/:owner/:repo", async ({ params, query }) => {
    const repository = await repositoryOf(options, params);
    const { id, key } = query;
    if ((id === undefined) === (key === undefined)) {
      throw badRequest("The query has to say what to delete: ?key=… or ?id=…");
    }
    const deleted = await service.caches.remove(repository, key === undefined ? { id: Number(id) } : { key });
    if (deleted === 0) throw notFound(`cache "${key ?? id ?? ""}" of ${repository}`);
    return { deleted };
  });
}

/** What the jobs of a run have reported of the code. */
function reportRoutes(app: FastifyInstance, { artifacts, workflows }: ArtifactRoutesOptions): void {
  const requireRun = async (id: string): Promise<void> => {
    if ((await workflows.getRunView(id)) === undefined) throw notFound(`run ${id}`);
  };
  app.get<{ Params: { id: string } }>("/runs/:id/coverage", async ({ params }) => {
    await requireRun(params.id);
    return await artifacts.reports.coverage(params.id);
  });
  app.get<{ Params: { id: string } }>("/runs/:id/findings", async ({ params }) => {
    await requireRun(params.id);
    return await artifacts.reports.findings(params.id);
  });
  app.get<{ Params: { id: string; report: string } }>("/runs/:id/findings/:report/sarif", async ({ params }) => {
    await requireRun(params.id);
    const sarif = await artifacts.reports.sarif(params.id, Number(params.report));
    if (sarif === undefined) throw notFound(`report ${params.report} of run ${params.id}`);
    return sarif;
  });
}

async function find(service: ArtifactService, id: string): Promise<ArtifactView & { readonly blob: string }> {
  const found = /^\d{1,15}$/.test(id) ? await service.artifacts.get(Number(id)) : undefined;
  if (found === undefined) throw notFound(`artifact ${id}`);
  return found;
}

async function repositoryOf(
  { repositories }: ArtifactRoutesOptions,
  { owner, repo }: CacheRoute["Params"],
): Promise<string> {
  return (await repositories.require(`${owner}/${repo}`)).name;
}
