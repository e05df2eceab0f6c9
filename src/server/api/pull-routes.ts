/** Pull requests for people: list, look, make, change, merge, comment. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { PullCheck, PullDetail, PullSummary } from "#api";
import { type Forge, mergeMethods, mergeRefusal, type PullChange, type PullView } from "#forge";
import type { Repositories, Repository } from "#git";
import { forkRepository } from "../rest/fork-repository.ts";
import { isoTime, loginOf } from "../rest/people.ts";
import { badRequest, notFound } from "./api-error.ts";
import { identityOf } from "./session.ts";

export interface PullRoutesOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly signal: AbortSignal;
}

type Named = { Params: { owner: string; name: string } };
type Numbered = { Params: { owner: string; name: string; number: string } };
type State = { Querystring: { state?: string } };

const base = "/repositories/:owner/:name/pulls";
/** A page shows that much; the rest is read with git. */
const maxShown = 300;
const maxPatchLength = 100_000;

export function pullRoutes(app: FastifyInstance, options: PullRoutesOptions): void {
  const { forge, repositories, signal } = options;
  app.get<State>("/pulls", async ({ query }) => {
    const all = await Promise.all(
      (await repositories.list()).map((repository) => summaries(options, repository, query.state)),
    );
    return {
      items: all
        .flat()
        .toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))
        .slice(0, maxShown),
    };
  });
  app.get<Named & State>(base, async ({ params, query }) => ({
    items: await summaries(options, await repositories.require(`${params.owner}/${params.name}`), query.state),
  }));
  app.post<Named & { Body: Readonly<Record<string, unknown>> | null }>(base, async (request, reply) => {
    const repository = await find(options, request.params);
    const { title, head, base: into, body, draft } = request.body ?? {};
    if (typeof title !== "string" || typeof head !== "string") {
      throw badRequest('A pull request needs a title and a head: {"title": "…", "head": "feature", "base": "main"}');
    }
    const wanted = {
      title,
      head,
      base: typeof into === "string" ? into : repository.defaultBranch,
      body: typeof body === "string" ? body : undefined,
      draft: draft === true,
    };
    const pull = await forge.pulls.create(repository, wanted, identityOf(request).name, signal);
    return await reply.code(201).send(await detail(options, repository, pull));
  });
  app.get<Numbered>(`${base}/:number`, async ({ params }) => {
    const repository = await find(options, params);
    return await detail(options, repository, await pullOf(options, repository, params));
  });
  app.post<Named & { Body: { name?: unknown } | null }>("/repositories/:owner/:name/forks", async (request, reply) => {
    const parent = await find(options, request.params);
    const name = request.body?.name;
    if (typeof name !== "string") throw badRequest('A fork needs a name of its own: {"name": "ada/shop"}');
    return await reply.code(201).send(await forkRepository(options, parent, name, identityOf(request).name));
  });
  changeRoutes(app, options);
}

function changeRoutes(app: FastifyInstance, options: PullRoutesOptions): void {
  const { forge, signal } = options;
  app.patch<Numbered & { Body: Readonly<Record<string, unknown>> | null }>(`${base}/:number`, async (request) => {
    const repository = await find(options, request.params);
    const { number } = await pullOf(options, repository, request.params);
    const { title, body, state, base: into, draft } = request.body ?? {};
    const change: PullChange = {
      ...(typeof title === "string" ? { title } : {}),
      ...(typeof body === "string" ? { body } : {}),
      ...(state === "open" || state === "closed" ? { state } : {}),
      ...(typeof into === "string" ? { base: into } : {}),
      ...(typeof draft === "boolean" ? { draft } : {}),
    };
    if (Object.keys(change).length === 0) throw badRequest("Say what to change: title, body, state, base or draft");
    const pull = await forge.pulls.update(repository, number, change, identityOf(request).name, signal);
    return await detail(options, repository, pull);
  });
  const setState = async (request: FastifyRequest<Numbered>, state: "open" | "closed"): Promise<PullDetail> => {
    const repository = await find(options, request.params);
    const { number } = await pullOf(options, repository, request.params);
    const pull = await forge.pulls.update(repository, number, { state }, actorOf(request), signal);
    return await detail(options, repository, pull);
  };
  app.post<Numbered>(`${base}/:number/close`, (request) => setState(request, "closed"));
  app.post<Numbered>(`${base}/:number/reopen`, (request) => setState(request, "open"));
  type Merge = Numbered & { Body: { method?: string; sha?: string } | null };
  app.post<Merge>(`${base}/:number/merge`, async (request) => {
    const repository = await find(options, request.params);
    const { number } = await pullOf(options, repository, request.params);
    const { method: wanted = "merge", sha } = request.body ?? {};
    const method = mergeMethods.find((one) => one === wanted);
    if (method === undefined) throw badRequest(`"${wanted}" is no way to merge: use ${mergeMethods.join(", ")}`);
    const order = { method, ...(sha === undefined ? {} : { head: sha }) };
    return await detail(
      options,
      repository,
      await forge.pulls.merge(repository, number, order, actorOf(request), signal),
    );
  });
  app.post<Numbered & { Body: { body?: string } | null }>(`${base}/:number/comments`, async (request, reply) => {
    const repository = await find(options, request.params);
    const { number } = await pullOf(options, repository, request.params);
    await forge.issues.addComment(repository, number, request.body?.body ?? "", actorOf(request));
    return await reply.code(201).send({});
  });
}

function actorOf(request: FastifyRequest): string {
  return identityOf(request).name;
}

async function find({ repositories }: PullRoutesOptions, { owner, name }: Named["Params"]): Promise<Repository> {
  return await repositories.require(`${owner}/${name}`);
}

async function pullOf(
  { forge }: PullRoutesOptions,
  repository: Repository,
  { number }: Numbered["Params"],
): Promise<PullView> {
  const pull = /^[1-9]\d{0,9}$/.test(number) ? await forge.pulls.get(repository.id, Number(number)) : undefined;
  if (pull === undefined) throw notFound(`pull request #${number} in "${repository.name}"`);
  return pull;
}

async function summaries(
  options: PullRoutesOptions,
  repository: Repository,
  state = "open",
): Promise<readonly PullSummary[]> {
  const filter = state === "open" || state === "closed" ? { state } : {};
  const pulls = (await options.forge.pulls.list(repository.id, filter as { state?: "open" | "closed" })).slice(
    0,
    maxShown,
  );
  return await Promise.all(
    pulls.map(async (pull) => summary(repository, pull, await options.forge.pulls.checks(repository, pull))),
  );
}

function summary(repository: Repository, pull: PullView, checks: readonly PullCheck[]): PullSummary {
  const together = combined(checks);
  return {
    repository: repository.name,
    number: pull.number,
    title: pull.title,
    author: loginOf(pull.author),
    state: pull.mergedAt === null ? pull.state : "merged",
    draft: pull.draft,
    base: pull.base.ref,
    head: pull.head.ref,
    ...(pull.sameRepository ? {} : { fork: pull.head.repository }),
    headSha: pull.head.sha,
    ...(together === undefined ? {} : { checks: together }),
    labels: pull.labels.map((label) => label.name),
    comments: pull.comments,
    createdAt: isoTime(pull.createdAt),
    updatedAt: isoTime(pull.updatedAt),
  };
}

function combined(checks: readonly PullCheck[]): PullSummary["checks"] {
  if (checks.length === 0) return undefined;
  if (checks.some((check) => check.state === "failure")) return "failure";
  return checks.every((check) => check.state === "success") ? "success" : "pending";
}

async function detail(options: PullRoutesOptions, repository: Repository, pull: PullView): Promise<PullDetail> {
  const { forge, repositories, signal } = options;
  const shop = await repositories.workshop(repository.name, signal);
  const { base, head } = pull;
  const results = await forge.pulls.checks(repository, pull);
  const files = await shop.files(await shop.mergeBase(base.sha, head.sha), head.sha);
  const commits = await shop.commits({ revision: head.sha, without: base.sha, limit: maxShown });
  const comments = await forge.issues.comments(repository.id, pull.number);
  const obstacle = mergeRefusal(pull, results, undefined)?.message;
  return {
    ...summary(repository, pull, results),
    body: pull.body,
    baseSha: base.sha,
    ...(pull.mergedBy === null ? {} : { mergedBy: loginOf(pull.mergedBy) }),
    ...(pull.mergeCommitSha === null ? {} : { mergeCommit: pull.mergeCommitSha }),
    ...(obstacle === undefined ? {} : { obstacle }),
    results,
    commits: commits.map(({ sha, subject, author }) => ({ sha, subject, author: author.name, at: author.date })),
    files: files.slice(0, maxShown).map(({ path, status, additions, deletions, patch }) => ({
      path,
      status,
      additions,
      deletions,
      ...(patch === undefined || patch.length > maxPatchLength ? {} : { patch }),
    })),
    conversation: comments.map(({ author, body, createdAt }) => ({
      author: loginOf(author),
      body,
      at: isoTime(createdAt),
    })),
  };
}
