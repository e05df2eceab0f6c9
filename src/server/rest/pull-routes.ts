/** Pull requests: list, make, change, merge; their files, commits and reviews. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { mergeMethods, reviewEvents, type PullView } from "#forge";
import type { Repository, Workshop } from "#git";
import { commitShape, fileShape, maxFiles } from "./commit-shape.ts";
import { commitAt, type AtRef } from "./commit-routes.ts";
import { forbidden, knows, reach, whoAsks, workshopOf, type Named, type Numbered, type RestParts } from "./face.ts";
import { fieldsOf, numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { userShape } from "./people.ts";
import { pullDetail, pullShape, reviewShape, type PullRepositories, type PullSize } from "./pull-shape.ts";
import { placeOf, plain } from "./repository-routes.ts";
import { repositoryShape } from "./repository-shape.ts";
import { badField, missingField, notFound } from "./rest-error.ts";

const base = "/repos/:owner/:repo/pulls";

export function pullRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge, signal } = parts;
  app.get<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "pull-requests");
    const all = sorted(request, await forge.pulls.list(repository.id, filterOf(request)));
    const page = paged(request, reply, parts.apiServer(), all);
    return await Promise.all(page.map((pull) => listed(parts, repository, pull)));
  });
  app.post<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "pull-requests", "write");
    const fields = fieldsOf(request, "PullRequest");
    const wanted = {
      title: fields.text("title"),
      head: fields.text("head"),
      base: fields.text("base"),
      body: fields.nullableText("body"),
      draft: fields.flag("draft"),
    };
    const identity = whoAsks(request);
    // Nobody may bring out of a fork what they may not read.
    const from = await forge.pulls.forks.head(repository, wanted.head);
    if (from !== undefined && !knows(identity, from.repository.name)) throw forbidden(identity);
    const pull = await forge.pulls.create(repository, wanted, identity.name, signal);
    return await reply.code(201).send(await detail(parts, repository, pull, reply));
  });
  app.get<Numbered>(`${base}/:number`, async (request, reply) => {
    const { repository, pull } = await pullAt(parts, request);
    const accept = request.headers.accept ?? "";
    if (!/\.(?:diff|patch)\b/.test(accept)) return await detail(parts, repository, pull, reply);
    const shop = await workshopOf(parts, repository, reply);
    const merge = await shop.mergeBase(pull.base.sha, pull.head.sha);
    const patch = accept.includes(".patch");
    return await plain(
      reply,
      patch ? await shop.mails(pull.base.sha, pull.head.sha) : await shop.diff(merge, pull.head.sha),
    );
  });
  app.patch<Numbered>(`${base}/:number`, async (request, reply) => {
    const { repository, pull } = await pullAt(parts, request, "write");
    const fields = fieldsOf(request, "PullRequest");
    const change = {
      title: fields.optionalText("title"),
      body: fields.nullableText("body"),
      state: fields.oneOf("state", ["open", "closed"]),
      base: fields.optionalText("base"),
      draft: fields.flag("draft"),
    };
    const updated = await forge.pulls.update(repository, pull.number, change, whoAsks(request).name, signal);
    return await detail(parts, repository, updated, reply);
  });
  mergeRoutes(app, parts);
  contentRoutes(app, parts);
  reviewRoutes(app, parts);
}

function filterOf(request: FastifyRequest): Parameters<RestParts["forge"]["pulls"]["list"]>[1] {
  const state = queryText(request, "state") ?? "open";
  const head = queryText(request, "head");
  const [owner = "", branch = ""] = head?.split(":") ?? [];
  return {
    state: state === "open" || state === "closed" ? state : undefined,
    base: queryText(request, "base"),
    head: head === undefined || branch === "" ? undefined : { owner, branch },
  };
}

function sorted(request: FastifyRequest, pulls: readonly PullView[]): readonly PullView[] {
  const sort = queryText(request, "sort") ?? "created";
  const ascending = (queryText(request, "direction") ?? (sort === "created" ? "desc" : "asc")) === "asc";
  const key = (pull: PullView): number => (sort === "updated" ? pull.updatedAt : pull.number);
  return pulls.toSorted((a, b) => (ascending ? key(a) - key(b) : key(b) - key(a)));
}

function mergeRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge, signal } = parts;
  app.get<Numbered>(`${base}/:number/merge`, async (request, reply) => {
    const { pull } = await pullAt(parts, request);
    if (pull.mergedAt === null) throw notFound();
    return await reply.code(204).send();
  });
  app.put<Numbered>(`${base}/:number/merge`, async (request) => {
    const repository = await reach(parts, request, "contents", "write");
    const number = numberOf(request.params.number);
    if ((await forge.pulls.get(repository.id, number)) === undefined) throw notFound();
    const fields = fieldsOf(request, "PullRequest");
    const order = {
      method: fields.oneOf("merge_method", mergeMethods) ?? "merge",
      title: fields.optionalText("commit_title"),
      message: fields.nullableText("commit_message") ?? undefined,
      head: fields.optionalText("sha"),
    };
    const merged = await forge.pulls.merge(repository, number, order, whoAsks(request).name, signal);
    return { sha: merged.mergeCommitSha, merged: true, message: "Pull Request successfully merged" };
  });
}

function contentRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<Numbered>(`${base}/:number/files`, async (request, reply) => {
    const { repository, pull } = await pullAt(parts, request);
    const shop = await workshopOf(parts, repository, reply);
    const files = await shop.files(await shop.mergeBase(pull.base.sha, pull.head.sha), pull.head.sha);
    const place = placeOf(parts, repository);
    const page = paged(request, reply, parts.apiServer(), files.slice(0, maxFiles));
    return page.map((file) => fileShape(file, pull.head.sha, place));
  });
  app.get<Numbered>(`${base}/:number/commits`, async (request, reply) => {
    const { repository, pull } = await pullAt(parts, request);
    const shop = await workshopOf(parts, repository, reply);
    const commits = await shop.commits({ revision: pull.head.sha, without: pull.base.sha, limit: 250 });
    const place = placeOf(parts, repository);
    return paged(request, reply, parts.apiServer(), commits.toReversed()).map((commit) => commitShape(commit, place));
  });
  // Comments on lines of a pull request are not kept here: there are none.
  app.get<Numbered>(`${base}/:number/comments`, async (request) => {
    await pullAt(parts, request);
    return [];
  });
  app.get<AtRef>("/repos/:owner/:repo/commits/:ref/pulls", async (request, reply) => {
    const { repository, sha } = await commitAt(parts, request, reply, "pull-requests");
    const found = (await forge.pulls.list(repository.id)).filter(
      (pull) => pull.head.sha === sha || pull.mergeCommitSha === sha,
    );
    const page = paged(request, reply, parts.apiServer(), found);
    return await Promise.all(page.map((pull) => listed(parts, repository, pull)));
  });
}

function reviewRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge, serverUrl } = parts;
  app.get<Numbered>(`${base}/:number/reviews`, async (request, reply) => {
    const { repository, pull } = await pullAt(parts, request);
    const reviews = await forge.reviews.list(repository.id, pull.number);
    const place = placeOf(parts, repository);
    return paged(request, reply, parts.apiServer(), reviews).map((review) => reviewShape(review, pull.number, place));
  });
  app.post<Numbered>(`${base}/:number/reviews`, async (request) => {
    const { repository, pull } = await pullAt(parts, request, "write");
    const fields = fieldsOf(request, "PullRequestReview");
    if ((fields.objects("comments") ?? []).length > 0) {
      const message = "Comments on lines are not kept here: say it in the body of the review";
      throw badField("PullRequestReview", "comments", message);
    }
    const event = fields.oneOf("event", reviewEvents);
    if (event === undefined) throw missingField("PullRequestReview", "event");
    const commitId = fields.optionalText("commit_id");
    const review = { event, body: fields.optionalText("body") ?? "", ...(commitId === undefined ? {} : { commitId }) };
    const made = await forge.reviews.submit(repository, pull.number, review, whoAsks(request).name);
    return reviewShape(made, pull.number, placeOf(parts, repository));
  });
  app.get<Numbered>(`${base}/:number/requested_reviewers`, async (request) => {
    const { pull } = await pullAt(parts, request);
    return { users: pull.reviewers.map((name) => userShape(name, serverUrl())), teams: [] };
  });
  const change = async (request: FastifyRequest<Numbered>, reply: FastifyReply, name: "add" | "remove") => {
    const { repository, pull } = await pullAt(parts, request, "write");
    const reviewers = fieldsOf(request, "PullRequest").texts("reviewers") ?? [];
    const changed = { [name]: reviewers };
    const updated = await forge.pulls.requestReviewers(repository, pull.number, changed, whoAsks(request).name);
    return await reply.code(name === "add" ? 201 : 200).send(await listed(parts, repository, updated));
  };
  app.post<Numbered>(`${base}/:number/requested_reviewers`, (request, reply) => change(request, reply, "add"));
  app.delete<Numbered>(`${base}/:number/requested_reviewers`, (request, reply) => change(request, reply, "remove"));
}

async function pullAt(
  parts: RestParts,
  request: FastifyRequest<Numbered>,
  verb: "read" | "write" = "read",
): Promise<{ readonly repository: Repository; readonly pull: PullView }> {
  const repository = await reach(parts, request, "pull-requests", verb);
  const pull = await parts.forge.pulls.get(repository.id, numberOf(request.params.number));
  if (pull === undefined) throw notFound();
  return { repository, pull };
}

async function listed(parts: RestParts, repository: Repository, pull: PullView): Promise<unknown> {
  return pullShape(pull, await pullRepositories(parts, repository, pull), placeOf(parts, repository));
}

export async function pullRepositories(
  { repositories, serverUrl }: Pick<RestParts, "repositories" | "serverUrl">,
  repository: Repository,
  pull: PullView,
): Promise<PullRepositories> {
  const own = repositoryShape(repository, serverUrl());
  if (pull.sameRepository) return { base: own, head: own };
  const head = await repositories.named(pull.head.repositoryId);
  return { base: own, head: head === undefined ? null : repositoryShape(head, serverUrl(), true) };
}

async function detail(parts: RestParts, repository: Repository, pull: PullView, reply: FastifyReply): Promise<unknown> {
  const size = await pullSize(await workshopOf(parts, repository, reply), pull);
  return pullDetail(pull, await pullRepositories(parts, repository, pull), size, placeOf(parts, repository));
}

/** How much it would change, as its base is now. */
export async function pullSize(
  shop: Pick<Workshop, "files" | "mergeBase" | "apart">,
  { base, head }: Pick<PullView, "base" | "head">,
): Promise<PullSize> {
  const files = await shop.files(await shop.mergeBase(base.sha, head.sha), head.sha);
  const { right } = await shop.apart(base.sha, head.sha);
  return {
    commits: right,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changedFiles: files.length,
  };
}
