/** Workflows of a repository: list, start by hand, send an event, switch on and off, let others call them. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ScheduledWorkflow, WorkflowSummary } from "#api";
import { type Ids, isObject } from "#lib";
import type { Repositories, Repository } from "#git";
import type { Workflows } from "#workflows";
import { defaultHead } from "../wiring/workflow-source.ts";
import { badRequest } from "./api-error.ts";
import { identityOf } from "./session.ts";

export interface WorkflowRoutesOptions {
  readonly workflows: Workflows;
  readonly repositories: Repositories;
  readonly ids: Ids;
  readonly signal: AbortSignal;
}

type Named = { Params: { owner: string; name: string } };
type File = { Params: { owner: string; name: string; file: string } };

export function workflowRoutes(app: FastifyInstance, options: WorkflowRoutesOptions): void {
  const { workflows, repositories, signal } = options;
  const find = async ({ owner, name }: Named["Params"]): Promise<Repository> =>
    await repositories.require(`${owner}/${name}`);
  app.get("/schedules", async () => {
    const items: readonly ScheduledWorkflow[] = await workflows.listSchedules();
    return { items };
  });
  app.get<Named>("/repositories/:owner/:name/workflows", async ({ params }) => {
    const { name } = await find(params);
    const items: readonly WorkflowSummary[] = await workflows.listWorkflows(name, { signal });
    return { items };
  });
  app.put<File & { Body: { enabled?: boolean } | null }>(
    "/repositories/:owner/:name/workflows/:file",
    async (request) => {
      const { name } = await find(request.params);
      const enabled = request.body?.enabled;
      if (typeof enabled !== "boolean") throw badRequest('Say whether the workflow is enabled: {"enabled": true}');
      const change = { repository: name, path: request.params.file, enabled, actor: identityOf(request).name };
      await workflows.switchWorkflow(change, { signal });
      return {};
    },
  );
  app.put<Named & { Body: { shared?: boolean } | null }>(
    "/repositories/:owner/:name/workflow-access",
    async (request) => {
      const { name } = await find(request.params);
      const shared = request.body?.shared;
      if (typeof shared !== "boolean") throw badRequest('Say whether others may call the workflows: {"shared": true}');
      await workflows.shareWorkflows({ repository: name, shared, actor: identityOf(request).name });
      return {};
    },
  );
  dispatchRoutes(app, options, find);
}

type Find = (params: Named["Params"]) => Promise<Repository>;

function dispatchRoutes(app: FastifyInstance, options: WorkflowRoutesOptions, find: Find): void {
  type Start = File & { Body: { ref?: string; inputs?: Record<string, string | boolean | number> } | null };
  app.post<Start>("/repositories/:owner/:name/workflows/:file/dispatches", async (request) => {
    const repository = await find(request.params);
    const at = await resolveRef(options, repository, request.body?.ref ?? repository.defaultBranch);
    const { file: workflow } = request.params;
    const inputs = request.body?.inputs ?? {};
    const event = { id: `dispatch:${options.ids.uuid()}`, name: "workflow_dispatch", workflow, inputs } as const;
    return { runs: await accept(options, request, { ...event, ...at, repository: repository.name }) };
  });
  type Event = Named & { Body: { event_type?: string; client_payload?: unknown } | null };
  app.post<Event>("/repositories/:owner/:name/dispatches", async (request) => {
    const repository = await find(request.params);
    const { event_type: type, client_payload: payload = {} } = request.body ?? {};
    if (typeof type !== "string" || type === "" || type.length > 100) {
      throw badRequest('An event needs a type of at most 100 characters: {"event_type": "deployed"}');
    }
    if (!isObject(payload) || Object.keys(payload).length > 10 || JSON.stringify(payload).length > 65_535) {
      throw badRequest("client_payload must be an object of at most 10 keys and 65535 characters");
    }
    const at = await defaultHead(options.repositories, repository.name, options.signal);
    if (at === undefined) throw badRequest(`"${repository.name}" has no commit yet: push one first`);
    const event = { id: `event:${options.ids.uuid()}`, name: "repository_dispatch", type } as const;
    const told = { ...event, ...at, repository: repository.name, clientPayload: payload as never };
    return { runs: await accept(options, request, told) };
  });
}

type Told = Parameters<Workflows["accept"]>[0];

async function accept(
  { workflows, signal }: WorkflowRoutesOptions,
  request: FastifyRequest,
  event: Omit<Extract<Told, { name: "workflow_dispatch" | "repository_dispatch" }>, "actor">,
): Promise<readonly string[]> {
  return await workflows.accept({ ...event, actor: identityOf(request).name } as Told, { signal });
}

/** A branch or a tag, by its short or its whole name. */
export async function resolveRef(
  { repositories }: Pick<WorkflowRoutesOptions, "repositories">,
  repository: Repository,
  text: string,
): Promise<{ readonly ref: string; readonly sha: string }> {
  const names = text.startsWith("refs/") ? [text] : [`refs/heads/${text}`, `refs/tags/${text}`];
  for (const ref of names) {
    const sha = await repositories.resolve(repository.name, ref);
    if (sha !== undefined) return { ref, sha };
  }
  throw badRequest(`There is no branch or tag "${text}" in "${repository.name}"`);
}
