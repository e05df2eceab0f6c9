/** Workflows of a repository, and starting them: by hand, or by an event of one's own. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Repository } from "#git";
import { isObject } from "#lib";
import type { WorkflowEvent, WorkflowView } from "#workflows";
import { defaultHead } from "../wiring/workflow-source.ts";
import { isJob, reach, whoAsks, type Named, type RestParts } from "./face.ts";
import { fieldsOf } from "./fields.ts";
import { namedRef } from "./named-ref.ts";
import { paged } from "./paging.ts";
import { placeOf } from "./repository-routes.ts";
import { badField, notFound, unprocessable } from "./rest-error.ts";
import { listRuns } from "./run-routes.ts";
import { workflowId, workflowShape } from "./run-shape.ts";

type OfFile = { Params: { owner: string; repo: string; file: string } };

export function workflowRoutes(app: FastifyInstance, parts: RestParts): void {
  const { workflows, signal, ids } = parts;
  const base = "/repos/:owner/:repo/actions/workflows";
  app.get<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "actions");
    const all = await workflows.listWorkflows(repository.name, { signal });
    const shown = paged(request, reply, parts.apiServer(), all).map((one) => shape(parts, repository, one));
    return { total_count: all.length, workflows: shown };
  });
  app.get<OfFile>(`${base}/:file`, async (request) => {
    const repository = await reach(parts, request, "actions");
    return shape(parts, repository, await workflowAt(parts, repository, request.params.file));
  });
  app.get<OfFile>(`${base}/:file/runs`, async (request, reply) => {
    const repository = await reach(parts, request, "actions");
    const { path } = await workflowAt(parts, repository, request.params.file);
    return await listRuns(parts, request, reply, repository, path);
  });
  for (const [path, enabled] of [
    ["enable", true],
    ["disable", false],
  ] as const) {
    app.put<OfFile>(`${base}/:file/${path}`, async (request, reply) => {
      const repository = await reach(parts, request, "actions", "write");
      const found = await workflowAt(parts, repository, request.params.file);
      const change = { repository: repository.name, path: found.path, enabled, actor: whoAsks(request).name };
      await workflows.switchWorkflow(change, { signal });
      return await reply.code(204).send();
    });
  }
  app.post<OfFile>(`${base}/:file/dispatches`, async (request, reply) => {
    const repository = await reach(parts, request, "actions", "write");
    const fields = fieldsOf(request, "Workflow");
    const ref = fields.text("ref");
    const at = await namedRef(parts, repository, ref);
    if (at === undefined) throw unprocessable(`No ref found for: ${ref}`);
    const inputs = fields.raw("inputs") ?? {};
    if (!isObject(inputs)) throw badField("Workflow", "inputs", "inputs must be an object");
    const workflow = await fileNamed(parts, repository, request.params.file);
    const event = {
      id: `dispatch:${ids.uuid()}`,
      name: "workflow_dispatch",
      workflow,
      inputs: inputs as never,
    } as const;
    const runs = await workflows.accept(
      { ...event, ...at, ...actorOf(request), repository: repository.name },
      { signal },
    );
    if (fields.flag("return_run_details") !== true) return await reply.code(204).send();
    const [id = "0"] = runs;
    const place = placeOf(parts, repository);
    const url = `${place.serverUrl}/api/v3/repos/${repository.name}/actions/runs/${id}`;
    return { workflow_run_id: Number(id), run_url: url, html_url: `${place.serverUrl}/runs/${id}` };
  });
  app.post<Named>("/repos/:owner/:repo/dispatches", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Repository");
    const type = fields.text("event_type");
    const payload = fields.raw("client_payload") ?? {};
    if (type.length > 100) throw badField("Repository", "event_type", "event_type has at most 100 characters");
    if (!isObject(payload) || Object.keys(payload).length > 10 || JSON.stringify(payload).length > 65_535) {
      const message = "client_payload is an object of at most 10 keys and 65535 characters";
      throw badField("Repository", "client_payload", message);
    }
    const at = await defaultHead(parts.repositories, repository.name, signal);
    if (at === undefined) throw unprocessable("The repository has no commit yet");
    const event = {
      id: `event:${ids.uuid()}`,
      name: "repository_dispatch",
      type,
      clientPayload: payload as never,
    } as const;
    await workflows.accept({ ...event, ...at, ...actorOf(request), repository: repository.name }, { signal });
    return await reply.code(204).send();
  });
}

function actorOf(request: FastifyRequest): Pick<WorkflowEvent, "actor" | "byJob"> {
  const identity = whoAsks(request);
  return { actor: identity.name, ...(isJob(identity) ? { byJob: true } : {}) };
}

/** By its number, or the name or path of its file. */
async function workflowAt(parts: RestParts, repository: Repository, text: string): Promise<WorkflowView> {
  const all = await parts.workflows.listWorkflows(repository.name, { signal: parts.signal });
  const found = all.find(({ path }) => path === text || path.endsWith(`/${text}`) || String(workflowId(path)) === text);
  if (found === undefined) throw notFound();
  return found;
}

/** A file may be on another branch only: then its name is all there is. */
async function fileNamed(parts: RestParts, repository: Repository, text: string): Promise<string> {
  if (!/^\d+$/.test(text)) return text;
  return (await workflowAt(parts, repository, text)).path;
}

function shape(parts: RestParts, repository: Repository, workflow: WorkflowView): unknown {
  return workflowShape(workflow, repository.defaultBranch, repository.createdAt, placeOf(parts, repository));
}
