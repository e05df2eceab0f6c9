/** Issues, comments on them and on pull requests, labels. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { IssueView } from "#forge";
import type { Repository } from "#git";
import { allows, forbidden, knows, reach, whoAsks, type Named, type Numbered, type RestParts } from "./face.ts";
import { fieldsOf, numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { commentShape, issueShape, labelShape } from "./pull-shape.ts";
import { placeOf } from "./repository-routes.ts";
import { badField, notFound } from "./rest-error.ts";

const base = "/repos/:owner/:repo/issues";
type WithLabel = { Params: { owner: string; repo: string; number: string; name: string } };
type NamedLabel = { Params: { owner: string; repo: string; name: string } };

export function issueRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<Named>(base, async (request, reply) => {
    const repository = await reachIssues(parts, request);
    const state = queryText(request, "state") ?? "open";
    const labels = queryText(request, "labels")?.split(",");
    const filter = {
      state: state === "open" || state === "closed" ? state : undefined,
      labels,
      author: queryText(request, "creator"),
      assignee: queryText(request, "assignee"),
      since: Date.parse(queryText(request, "since") ?? "") || undefined,
    } as const;
    const all = sorted(request, await forge.issues.list(repository.id, filter));
    return paged(request, reply, parts.apiServer(), all).map((issue) => issueShape(issue, placeOf(parts, repository)));
  });
  app.post<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "issues", "write");
    const fields = fieldsOf(request, "Issue");
    const issue = {
      title: fields.text("title"),
      body: fields.nullableText("body"),
      labels: labelNames(request),
      assignees: fields.texts("assignees"),
    };
    const made = await forge.issues.create(repository, issue, whoAsks(request).name);
    return await reply.code(201).send(issueShape(made, placeOf(parts, repository)));
  });
  app.get<Numbered>(`${base}/:number`, async (request) => {
    const { repository, issue } = await issueAt(parts, request, "read");
    return issueShape(issue, placeOf(parts, repository));
  });
  app.patch<Numbered>(`${base}/:number`, async (request) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const fields = fieldsOf(request, "Issue");
    const actor = whoAsks(request).name;
    const state = fields.oneOf("state", ["open", "closed"]);
    const change = {
      title: fields.optionalText("title"),
      body: fields.nullableText("body"),
      state,
      stateReason: fields.nullableText("state_reason"),
      labels: labelNames(request),
      assignees: fields.texts("assignees"),
    };
    // What closing a pull request means, pull requests know.
    if (issue.kind === "pull" && state !== undefined) {
      await forge.pulls.update(repository, issue.number, { state }, actor, parts.signal);
    }
    const updated = await forge.issues.update(repository, issue.number, change, actor);
    return issueShape(updated, placeOf(parts, repository));
  });
  commentRoutes(app, parts);
  issueLabelRoutes(app, parts);
  labelRoutes(app, parts);
}

function sorted(request: FastifyRequest, issues: readonly IssueView[]): readonly IssueView[] {
  const sort = queryText(request, "sort");
  const key = (issue: IssueView): number =>
    sort === "updated" ? issue.updatedAt : sort === "comments" ? issue.comments : issue.number;
  const sign = queryText(request, "direction") === "asc" ? 1 : -1;
  return issues.toSorted((a, b) => sign * (key(a) - key(b)) || b.number - a.number);
}

function commentRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<Numbered>(`${base}/:number/comments`, async (request, reply) => {
    const { repository, issue } = await issueAt(parts, request, "read");
    const all = await forge.issues.comments(repository.id, issue.number);
    return paged(request, reply, parts.apiServer(), all).map((one) => commentShape(one, placeOf(parts, repository)));
  });
  app.post<Numbered>(`${base}/:number/comments`, async (request, reply) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const body = fieldsOf(request, "IssueComment").text("body");
    const made = await forge.issues.addComment(repository, issue.number, body, whoAsks(request).name);
    return await reply.code(201).send(commentShape(made, placeOf(parts, repository)));
  });
  const commentAt = async (request: FastifyRequest<Numbered>, verb: "read" | "write") => {
    const repository = await reachIssues(parts, request, verb);
    const comment = await forge.issues.comment(repository.id, numberOf(request.params.number));
    if (comment === undefined) throw notFound();
    await issueNumbered(parts, request, repository, comment.number, verb);
    return { repository, comment };
  };
  app.get<Numbered>(`${base}/comments/:number`, async (request) => {
    const { repository, comment } = await commentAt(request, "read");
    return commentShape(comment, placeOf(parts, repository));
  });
  app.patch<Numbered>(`${base}/comments/:number`, async (request) => {
    const { repository, comment } = await commentAt(request, "write");
    const body = fieldsOf(request, "IssueComment").text("body");
    const edited = await forge.issues.editComment(repository, comment.id, body, whoAsks(request).name);
    return commentShape(edited, placeOf(parts, repository));
  });
  app.delete<Numbered>(`${base}/comments/:number`, async (request, reply) => {
    const { repository, comment } = await commentAt(request, "write");
    await forge.issues.deleteComment(repository, comment.id, whoAsks(request).name);
    return await reply.code(204).send();
  });
}

function issueLabelRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  const path = `${base}/:number/labels`;
  const shown = (repository: Repository, issue: IssueView) =>
    issue.labels.map((label) => labelShape(label, placeOf(parts, repository)));
  app.get<Numbered>(path, async (request, reply) => {
    const { repository, issue } = await issueAt(parts, request, "read");
    return paged(request, reply, parts.apiServer(), shown(repository, issue));
  });
  app.post<Numbered>(path, async (request) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const names = labelNames(request) ?? [];
    return shown(repository, await forge.issues.addLabels(repository, issue.number, names, whoAsks(request).name));
  });
  app.put<Numbered>(path, async (request) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const names = labelNames(request) ?? [];
    return shown(repository, await forge.issues.setLabels(repository, issue.number, names, whoAsks(request).name));
  });
  app.delete<Numbered>(path, async (request, reply) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    await forge.issues.setLabels(repository, issue.number, [], whoAsks(request).name);
    return await reply.code(204).send();
  });
  app.delete<WithLabel>(`${path}/:name`, async (request) => {
    const { repository, issue } = await issueAt(parts, request, "write");
    const { name } = request.params;
    return shown(repository, await forge.issues.removeLabel(repository, issue.number, name, whoAsks(request).name));
  });
}

function labelRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  const path = "/repos/:owner/:repo/labels";
  app.get<Named>(path, async (request, reply) => {
    const repository = await reachIssues(parts, request);
    const all = await forge.labels.list(repository.id);
    return paged(request, reply, parts.apiServer(), all).map((label) => labelShape(label, placeOf(parts, repository)));
  });
  app.post<Named>(path, async (request, reply) => {
    const repository = await reach(parts, request, "issues", "write");
    const fields = fieldsOf(request, "Label");
    const [color, description] = [fields.optionalText("color"), fields.nullableText("description")];
    const label = await forge.labels.create(repository.id, { name: fields.text("name"), color, description });
    return await reply.code(201).send(labelShape(label, placeOf(parts, repository)));
  });
  app.get<NamedLabel>(`${path}/:name`, async (request) => {
    const repository = await reachIssues(parts, request);
    const label = await forge.labels.get(repository.id, request.params.name);
    if (label === undefined) throw notFound();
    return labelShape(label, placeOf(parts, repository));
  });
  app.patch<NamedLabel>(`${path}/:name`, async (request) => {
    const repository = await reach(parts, request, "issues", "write");
    const fields = fieldsOf(request, "Label");
    const change = {
      name: fields.optionalText("new_name"),
      color: fields.optionalText("color"),
      description: fields.nullableText("description"),
    };
    return labelShape(
      await forge.labels.update(repository.id, request.params.name, change),
      placeOf(parts, repository),
    );
  });
  app.delete<NamedLabel>(`${path}/:name`, async (request, reply) => {
    const repository = await reach(parts, request, "issues", "write");
    await forge.labels.delete(repository.id, request.params.name);
    return await reply.code(204).send();
  });
}

/** `labels` as names, as objects with names, or a bare list. */
function labelNames(request: FastifyRequest): readonly string[] | undefined {
  const body: unknown = request.body;
  const list = Array.isArray(body) ? body : (fieldsOf(request, "Issue").raw("labels") ?? undefined);
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw badField("Issue", "labels", "labels must be a list");
  return list.map((one: unknown) => {
    const name = typeof one === "object" && one !== null && "name" in one ? one.name : one;
    if (typeof name !== "string") throw badField("Issue", "labels", "a label is a name");
    return name;
  });
}

/** Pull requests are issues too: whoever may do it to one of the two is let in here, and judged by which it is. */
export async function reachIssues(
  parts: RestParts,
  request: FastifyRequest,
  verb: "read" | "write" = "read",
): Promise<Repository> {
  const repository = await reach(parts, request, "metadata");
  const identity = whoAsks(request);
  const may = (area: "issues" | "pull-requests"): boolean => allows(identity, area, verb, repository.name);
  if (!knows(identity, repository.name)) throw notFound();
  if (!may("issues") && !may("pull-requests")) throw forbidden(identity);
  return repository;
}

async function issueNumbered(
  parts: RestParts,
  request: FastifyRequest,
  repository: Repository,
  number: number,
  verb: "read" | "write",
): Promise<IssueView> {
  const issue = await parts.forge.issues.get(repository.id, number);
  if (issue === undefined) throw notFound();
  const identity = whoAsks(request);
  const mayPull = issue.kind === "pull" && allows(identity, "pull-requests", verb, repository.name);
  if (!mayPull && !allows(identity, "issues", verb, repository.name)) throw forbidden(identity);
  return issue;
}

export async function issueAt(
  parts: RestParts,
  request: FastifyRequest<Numbered>,
  verb: "read" | "write",
): Promise<{ readonly repository: Repository; readonly issue: IssueView }> {
  const repository = await reachIssues(parts, request, verb);
  const issue = await issueNumbered(parts, request, repository, numberOf(request.params.number), verb);
  return { repository, issue };
}
