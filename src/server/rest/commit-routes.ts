/** Commits of a repository, their statuses, and the pull requests they are part of. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { combineStates, statusStates, type StatusView } from "#forge";
import type { Repository } from "#git";
import { apiUrl, commitShape, fileShape, maxFiles, type CommitPlace } from "./commit-shape.ts";
import { reach, whoAsks, workshopOf, type Named, type RestParts } from "./face.ts";
import { fieldsOf, queryText } from "./fields.ts";
import { paged, pagedMore, pageOf } from "./paging.ts";
import { isoTime, nodeId, userShape } from "./people.ts";
import { placeOf, plain, revision } from "./repository-routes.ts";
import { repositoryShape } from "./repository-shape.ts";
import { badField, missingField, notFound, RestError, unprocessable } from "./rest-error.ts";

export type AtRef = { Params: { owner: string; repo: string; ref: string } };

export function commitRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Named>("/repos/:owner/:repo/commits", async (request, reply) => await listCommits(parts, request, reply));
  app.get<AtRef>("/repos/:owner/:repo/commits/:ref", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const sha = await revision(shop, request.params.ref);
    const commit = sha === undefined ? undefined : await shop.commitInfo(sha);
    if (commit === undefined) throw unprocessable(`No commit found for SHA: ${request.params.ref}`);
    const accept = request.headers.accept ?? "";
    const [parent] = commit.parents;
    if (/\bsha\b/.test(accept)) return await plain(reply, Buffer.from(commit.sha));
    if (accept.includes("diff")) return await plain(reply, await shop.diff(parent, commit.sha));
    const files = await shop.files(parent, commit.sha);
    const place = placeOf(parts, repository);
    const sum = (of: "additions" | "deletions"): number => files.reduce((total, file) => total + file[of], 0);
    const [additions, deletions] = [sum("additions"), sum("deletions")];
    return {
      ...commitShape(commit, place),
      stats: { additions, deletions, total: additions + deletions },
      files: paged(request, reply, parts.apiServer(), files.slice(0, maxFiles)).map((file) =>
        fileShape(file, commit.sha, place),
      ),
    };
  });
  statusRoutes(app, parts);
}

async function listCommits(parts: RestParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const repository = await reach(parts, request, "contents");
  const shop = await workshopOf(parts, repository, reply);
  const start = await revision(shop, queryText(request, "sha") ?? repository.defaultBranch);
  if (start === undefined) {
    if (queryText(request, "sha") !== undefined) throw notFound();
    throw new RestError("rest/conflict", "Git Repository is empty.");
  }
  const { page, perPage } = pageOf(request);
  const [path, author] = [queryText(request, "path"), queryText(request, "author")];
  const [since, until] = [queryText(request, "since"), queryText(request, "until")];
  for (const time of [since, until]) {
    if (time !== undefined && !Number.isFinite(Date.parse(time)))
      throw badField("Commit", "since", `"${time}" is no time`);
  }
  const commits = await shop.commits({
    revision: start,
    skip: (page - 1) * perPage,
    limit: perPage + 1,
    ...(path === undefined ? {} : { path }),
    ...(author === undefined ? {} : { author }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  });
  const place = placeOf(parts, repository);
  return pagedMore(request, reply, parts.apiServer(), commits).map((commit) => commitShape(commit, place));
}

function statusRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge, serverUrl } = parts;
  for (const path of ["/repos/:owner/:repo/commits/:ref/statuses", "/repos/:owner/:repo/statuses/:ref"]) {
    app.get<AtRef>(path, async (request, reply) => {
      const { repository, sha } = await commitAt(parts, request, reply, "statuses");
      const all = await forge.statuses.list(repository.id, sha);
      return paged(request, reply, parts.apiServer(), all).map((one) => statusShape(one, placeOf(parts, repository)));
    });
  }
  app.get<AtRef>("/repos/:owner/:repo/commits/:ref/status", async (request, reply) => {
    const { repository, sha } = await commitAt(parts, request, reply, "statuses");
    const latest = await forge.statuses.latest(repository.id, sha);
    const place = placeOf(parts, repository);
    return {
      state: combineStates(latest.map((one) => one.state)),
      statuses: paged(request, reply, parts.apiServer(), latest).map((one) => statusShape(one, place)),
      sha,
      total_count: latest.length,
      repository: repositoryShape(repository, serverUrl()),
      commit_url: `${apiUrl(place)}/commits/${sha}`,
      url: `${apiUrl(place)}/commits/${sha}/status`,
    };
  });
  app.post<AtRef>("/repos/:owner/:repo/statuses/:ref", async (request, reply) => {
    const { repository, sha } = await commitAt(parts, request, reply, "statuses", "write");
    const fields = fieldsOf(request, "Status");
    const state = fields.oneOf("state", statusStates);
    if (state === undefined) throw missingField("Status", "state");
    const status = {
      state,
      context: fields.optionalText("context"),
      description: fields.nullableText("description"),
      targetUrl: fields.nullableText("target_url"),
    };
    const created = await forge.statuses.create(repository, sha, status, whoAsks(request).name);
    return await reply.code(201).send(statusShape(created, placeOf(parts, repository)));
  });
}

/** The commit of the path's `ref`. */
export async function commitAt(
  parts: RestParts,
  request: FastifyRequest<AtRef>,
  reply: FastifyReply,
  area: "statuses" | "checks" | "contents" | "pull-requests",
  verb: "read" | "write" = "read",
): Promise<{ readonly repository: Repository; readonly sha: string }> {
  const repository = await reach(parts, request, area, verb);
  const sha = await revision(await workshopOf(parts, repository, reply), request.params.ref);
  if (sha === undefined) throw unprocessable(`No commit found for SHA: ${request.params.ref}`);
  return { repository, sha };
}

export function statusShape(status: StatusView, place: CommitPlace): unknown {
  return {
    url: `${apiUrl(place)}/statuses/${status.sha}`,
    avatar_url: "",
    id: status.id,
    node_id: nodeId("StatusContext", status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: isoTime(status.createdAt),
    updated_at: isoTime(status.createdAt),
    creator: userShape(status.creator, place.serverUrl),
  };
}
