/** What became of issues and pull requests: their events, all comments of a repository, and who may be assigned. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RecordedEvent } from "#forge";
import { allows, reach, whoAsks, type Named, type Numbered, type RestParts } from "./face.ts";
import { fieldsOf, queryText } from "./fields.ts";
import { issueAt, reachIssues } from "./issue-routes.ts";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { paged } from "./paging.ts";
import { isoTime, nodeId, userShape } from "./people.ts";
import { commentShape, issueShape, labelShape } from "./pull-shape.ts";
import { placeOf } from "./repository-routes.ts";
import { notFound } from "./rest-error.ts";

const base = "/repos/:owner/:repo/issues";

export function issueHistoryRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  const events = async (request: FastifyRequest<Numbered>): Promise<readonly Dated[]> => {
    const { repository, issue } = await issueAt(parts, request, "read");
    const place = placeOf(parts, repository);
    const found = await forge.events.ofIssue(repository.id, issue.number);
    return found.flatMap((one) => eventShapes(one, place));
  };
  app.get<Numbered>(`${base}/:number/events`, async (request, reply) =>
    paged(request, reply, parts.apiServer(), await events(request)),
  );
  app.get<Numbered>(`${base}/:number/timeline`, async (request, reply) => {
    const { repository, issue } = await issueAt(parts, request, "read");
    const comments = (await forge.issues.comments(repository.id, issue.number)).map((one) => {
      const shape = commentShape(one, placeOf(parts, repository));
      return { ...shape, event: "commented", actor: shape.user };
    });
    const all = [...(await events(request)), ...comments].toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
    return paged(request, reply, parts.apiServer(), all);
  });
  app.get<Named>(`${base}/comments`, async (request, reply) => {
    const repository = await reachIssues(parts, request);
    const since = Date.parse(queryText(request, "since") ?? "") || 0;
    const byUpdate = queryText(request, "sort") === "updated";
    const all = (await forge.issues.allComments(repository.id))
      .filter((one) => one.updatedAt >= since)
      .toSorted((a, b) => (byUpdate ? a.updatedAt - b.updatedAt : a.id - b.id));
    const wanted = queryText(request, "direction") === "desc" ? all.toReversed() : all;
    return paged(request, reply, parts.apiServer(), wanted).map((one) => commentShape(one, placeOf(parts, repository)));
  });
  assigneeRoutes(app, parts);
}

function assigneeRoutes(app: FastifyInstance, parts: RestParts): void {
  const change = async (request: FastifyRequest<Numbered>, add: boolean): Promise<unknown> => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const named = fieldsOf(request, "Issue").texts("assignees") ?? [];
    const kept = issue.assignees.filter((name) => !named.includes(name));
    const assignees = add ? [...new Set([...issue.assignees, ...named])] : kept;
    const updated = await parts.forge.issues.update(repository, issue.number, { assignees }, whoAsks(request).name);
    return issueShape(updated, placeOf(parts, repository));
  };
  app.post<Numbered>(`${base}/:number/assignees`, async (request, reply) =>
    reply.code(201).send(await change(request, true)),
  );
  app.delete<Numbered>(`${base}/:number/assignees`, async (request) => await change(request, false));
  // People are names, and any name may be assigned.
  app.get<{ Params: { owner: string; repo: string; name: string } }>(
    "/repos/:owner/:repo/assignees/:name",
    async (request, reply) => {
      await reach(parts, request, "metadata");
      return await reply.code(204).send();
    },
  );
  app.get<{ Params: { owner: string; repo: string; name: string } }>(
    "/repos/:owner/:repo/collaborators/:name/permission",
    async (request) => {
      const repository = await reach(parts, request, "metadata");
      const permission = await permissionOf(parts, request.params.name, repository.name);
      if (permission === undefined) throw notFound();
      const user = userShape(request.params.name, placeOf(parts, repository).serverUrl);
      return { permission, role_name: permission, user };
    },
  );
}

/** Of people, who are names of tokens, the most that any token of theirs may do. */
async function permissionOf({ tokens }: RestParts, name: string, repository: string): Promise<string | undefined> {
  const own = (await tokens.list()).filter((token) => token.name === name);
  if (own.length === 0) return undefined;
  if (own.some(({ scopes }) => scopes.includes("admin"))) return "admin";
  const may = (verb: "read" | "write"): boolean => own.some((one) => allows(one, "contents", verb, repository));
  return may("write") ? "write" : may("read") ? "read" : "none";
}

interface Dated {
  readonly created_at: string;
}

/** Those of GitHub's events that are kept here; of a merge there are two. */
function eventShapes({ sequence, actor, at, event }: RecordedEvent, place: CommitPlace): readonly Dated[] {
  if (event.kind !== "pull" && event.kind !== "issue") return [];
  const { action } = event;
  const words =
    action === "closed" && event.kind === "pull" && event.pull.mergedAt !== null ? ["merged", action] : [action];
  const label = event.label === undefined ? {} : { label: labelShape(event.label, place) };
  const reviewer = event.kind === "pull" && event.reviewer !== undefined ? event.reviewer : undefined;
  return words
    .filter((word) => told.has(word))
    .map((word, index) => ({
      id: sequence * 2 + index,
      node_id: nodeId("IssueEvent", sequence * 2 + index),
      url: `${apiUrl(place)}/issues/events/${sequence * 2 + index}`,
      actor: userShape(actor, place.serverUrl),
      event: told.get(word),
      commit_id: word === "merged" && event.kind === "pull" ? event.pull.mergeCommitSha : null,
      commit_url: null,
      created_at: isoTime(at),
      ...label,
      ...(reviewer === undefined ? {} : { requested_reviewer: userShape(reviewer, place.serverUrl) }),
    }));
}

const told: ReadonlyMap<string, string> = new Map([
  ["closed", "closed"],
  ["merged", "merged"],
  ["reopened", "reopened"],
  ["labeled", "labeled"],
  ["unlabeled", "unlabeled"],
  ["review_requested", "review_requested"],
  ["ready_for_review", "ready_for_review"],
  ["converted_to_draft", "convert_to_draft"],
]);
