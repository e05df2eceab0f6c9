/** Refs: read, create, move, delete. What protects a branch from pushes protects it here. */
import { isJobName } from "#api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isObjectId, isRefName, zeroId, type Repository } from "#git";
import { changedWorkflow, workflowRefusal } from "../wiring/workflow-guard.ts";
import { apiUrl } from "./commit-shape.ts";
import { reach, whoAsks, workshopOf, type Named, type RestParts } from "./face.ts";
import { fieldsOf } from "./fields.ts";
import { paged } from "./paging.ts";
import { nodeId } from "./people.ts";
import { placeOf } from "./repository-routes.ts";
import { badField, notFound, RestError, unprocessable } from "./rest-error.ts";

type Splat = { Params: { owner: string; repo: string; "*": string } };

export function refRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Splat>("/repos/:owner/:repo/git/ref/*", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const wanted = `refs/${request.params["*"]}`;
    const shop = await workshopOf(parts, repository, reply);
    const found = (await shop.refsBelow(wanted)).find(({ ref }) => ref === wanted);
    if (found === undefined) throw notFound();
    return refShape(parts, repository, found);
  });
  for (const path of ["/repos/:owner/:repo/git/matching-refs/*", "/repos/:owner/:repo/git/refs"]) {
    app.get<Splat>(path, async (request, reply) => {
      const repository = await reach(parts, request, "contents");
      const shop = await workshopOf(parts, repository, reply);
      const found = await shop.refsBelow(`refs/${request.params["*"] ?? ""}`);
      return paged(request, reply, parts.apiServer(), found).map((one) => refShape(parts, repository, one));
    });
  }
  app.post<Named>("/repos/:owner/:repo/git/refs", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Reference");
    const ref = fields.text("ref");
    const after = fields.text("sha");
    if (!isRefName(ref) || ref.split("/").length < 3) {
      throw badField("Reference", "ref", `"${ref}" is no reference name: write refs/heads/<branch>`);
    }
    const shop = await workshopOf(parts, repository, reply);
    const object = await requireObject(shop, after);
    if ((await shop.refsBelow(ref)).some((one) => one.ref === ref)) throw unprocessable("Reference already exists");
    await moveRef(parts, request, repository, { ref, before: zeroId, after });
    return await reply.code(201).send(refShape(parts, repository, { ref, sha: after, type: object.type }));
  });
  app.patch<Splat>("/repos/:owner/:repo/git/refs/*", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Reference");
    const after = fields.text("sha");
    const ref = `refs/${request.params["*"]}`;
    const shop = await workshopOf(parts, repository, reply);
    const object = await requireObject(shop, after);
    const before = (await shop.refsBelow(ref)).find((one) => one.ref === ref)?.sha;
    if (before === undefined) throw unprocessable("Reference does not exist");
    if (fields.flag("force") !== true && object.type === "commit" && !(await shop.isAncestor(before, after))) {
      throw unprocessable("Update is not a fast forward");
    }
    await moveRef(parts, request, repository, { ref, before, after });
    return refShape(parts, repository, { ref, sha: after, type: object.type });
  });
  app.delete<Splat>("/repos/:owner/:repo/git/refs/*", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const ref = `refs/${request.params["*"]}`;
    const shop = await workshopOf(parts, repository, reply);
    const before = (await shop.refsBelow(ref)).find((one) => one.ref === ref)?.sha;
    if (before === undefined) throw unprocessable("Reference does not exist");
    await moveRef(parts, request, repository, { ref, before, after: zeroId });
    return await reply.code(204).send();
  });
}

/** Moves a ref for somebody who may push, if a push could. */
export async function moveRef(
  { repositories, forge, signal }: Pick<RestParts, "repositories" | "forge" | "signal">,
  request: FastifyRequest,
  repository: Repository,
  move: { readonly ref: string; readonly before: string; readonly after: string },
): Promise<void> {
  if (move.before === move.after) return;
  await forge.remotes.requireOwn(repository);
  const { name } = whoAsks(request);
  if (isJobName(name) && move.after !== zeroId) {
    const path = await changedWorkflow(await repositories.reader(repository.name, signal), move);
    if (path !== undefined) throw new RestError("rest/forbidden", workflowRefusal(path));
  }
  const refusal = await repositories.refusal(repository.name, move, signal);
  if (refusal !== undefined) throw new RestError("rest/invalid", `Cannot move "${move.ref}": ${refusal}`);
  await repositories.moveRef(repository.name, { ...move, pusher: name });
}

async function requireObject(
  shop: Awaited<ReturnType<typeof workshopOf>>,
  sha: string,
): Promise<{ readonly type: string }> {
  const object = isObjectId(sha) ? await shop.object(sha) : undefined;
  if (object === undefined) throw unprocessable("Object does not exist");
  return object;
}

function refShape(
  parts: Pick<RestParts, "serverUrl" | "apiServer">,
  repository: Repository,
  { ref, sha, type }: { readonly ref: string; readonly sha: string; readonly type: string },
): unknown {
  const url = apiUrl(placeOf(parts, repository));
  const folder = type === "tag" ? "tags" : type === "commit" ? "commits" : `${type}s`;
  return {
    ref,
    node_id: nodeId("Ref", ref),
    url: `${url}/git/${ref}`,
    object: { sha, type, url: `${url}/git/${folder}/${sha}` },
  };
}
