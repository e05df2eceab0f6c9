/** Environments of repositories, their deployments, and reviews of the jobs that wait for them. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isJobName, type DeploymentState, permits, type Verb } from "#api";
import type { Repositories } from "#git";
import { type Clock, isObject } from "#lib";
import type { SecretsRoom } from "#secrets";
import type { Timeline } from "#timeline";
import type { Workflows } from "#workflows";
import { ApiError, badRequest, notFound } from "./api-error.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { identityOf, ofRepository } from "./session.ts";
import { resolveRef } from "./workflow-routes.ts";

export interface EnvironmentRoutesOptions {
  readonly workflows: Workflows;
  readonly repositories: Repositories;
  readonly secrets: Pick<SecretsRoom, "forgetEnvironment">;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears of what no run tells. */
  readonly feed: Pick<ChangeFeed, "notify">;
}

type Named = { Params: { owner: string; name: string } };
type One = { Params: { owner: string; name: string; environment: string } };
type Run = { Params: { id: string } };

/** A token for one repository reads and reviews what is of that repository. */
const own = { config: ofRepository };

export function environmentRoutes(app: FastifyInstance, options: EnvironmentRoutesOptions): void {
  const { workflows, repositories } = options;
  const { environments } = workflows;
  app.get("/environments", async () => ({ items: await environments.list() }));
  const find = async (request: FastifyRequest<Named>, verb: Verb): Promise<string> => {
    const { owner, name } = request.params;
    requireApi(request, verb, `${owner}/${name}`);
    return (await repositories.require(`${owner}/${name}`)).name;
  };
  app.get<Named>("/repositories/:owner/:name/environments", own, async (request) => ({
    items: await environments.list(await find(request, "read")),
  }));
  const path = "/repositories/:owner/:name/environments/:environment";
  app.get<One>(path, own, async (request) => {
    const repository = await find(request, "read");
    const found = await environments.get(repository, request.params.environment);
    if (found === undefined) throw notFound(`environment "${request.params.environment}" of "${repository}"`);
    return found;
  });
  app.put<One>(path, async (request) => {
    const actor = requireAdmin(request);
    const repository = await find(request, "write");
    const set = await environments.set(repository, request.params.environment, request.body ?? {}, actor);
    await recordChange(
      options,
      repository,
      set.name,
      `${actor} changed environment ${set.name} of ${repository}`,
      actor,
    );
    return set;
  });
  app.delete<One>(path, async (request) => {
    const actor = requireAdmin(request);
    const repository = await find(request, "write");
    const { environment } = request.params;
    await environments.delete(repository, environment);
    await options.secrets.forgetEnvironment(repository, environment);
    await recordChange(
      options,
      repository,
      environment,
      `${actor} deleted environment ${environment} of ${repository}`,
      actor,
    );
    return {};
  });
  deploymentRoutes(app, options, find);
  reviewRoutes(app, options);
}

type Find = (request: FastifyRequest<Named>, verb: Verb) => Promise<string>;

function deploymentRoutes(app: FastifyInstance, options: EnvironmentRoutesOptions, find: Find): void {
  const { deployments } = options.workflows;
  type List = Named & { Querystring: { environment?: string; sha?: string; before?: string; limit?: string } };
  app.get<List>("/repositories/:owner/:name/deployments", own, async (request) => {
    const repository = await find(request, "read");
    const { before, limit, environment, sha } = request.query;
    const filter = {
      ...(environment === undefined ? {} : { environment }),
      ...(sha === undefined ? {} : { sha }),
      ...(before === undefined ? {} : { before: Number(before) || 0 }),
      limit: Number(limit ?? 30) || 30,
    };
    return { items: await deployments.list(repository, filter) };
  });
  type Statuses = { Params: Named["Params"] & { id: string } };
  app.get<Statuses>("/repositories/:owner/:name/deployments/:id/statuses", own, async (request) => {
    const items = await deployments.statuses(await find(request, "read"), Number(request.params.id) || 0);
    if (items === undefined) throw notFound(`deployment ${request.params.id}`);
    return { items };
  });
  recordingRoutes(app, options, find);
}

/** What people and programs deploy without a job. The types are checked here, the values where they are kept. */
function recordingRoutes(app: FastifyInstance, options: EnvironmentRoutesOptions, find: Find): void {
  const { workflows, repositories, signal } = options;
  const { deployments } = workflows;
  const path = "/repositories/:owner/:name/deployments";
  app.post<Named>(path, own, async (request, reply) => {
    const repository = await repositories.require(await find(request, "write"));
    const {
      ref = repository.defaultBranch,
      environment,
      ...texts
    } = textsOf(request.body, ["ref", "environment", "task", "description"]);
    if (environment === undefined) throw badRequest('A deployment needs an environment: {"environment": "demo"}');
    const at = await resolveRef({ repositories }, repository, ref);
    const payload = isObject(request.body) ? request.body["payload"] : undefined;
    if (payload !== undefined && !isObject(payload)) throw badRequest("payload must be an object");
    const creator = identityOf(request).name;
    const named = { repository: repository.name, environment, ...at, ...texts, creator, byJob: isJob(request) };
    const wanted = payload === undefined ? named : { ...named, payload: payload as never };
    return reply.code(201).send(await deployments.create(wanted, { signal }));
  });
  type Of = { Params: Named["Params"] & { id: string } };
  app.post<Of>(`${path}/:id/statuses`, own, async (request, reply) => {
    const repository = await find(request, "write");
    const { state = "", ...texts } = textsOf(request.body, ["state", "description", "environmentUrl", "logUrl"]);
    const status = {
      state: state as DeploymentState,
      ...texts,
      creator: identityOf(request).name,
      byJob: isJob(request),
    };
    return reply
      .code(201)
      .send(await deployments.addStatus(repository, Number(request.params.id) || 0, status, { signal }));
  });
}

/** What jobs do with their tokens starts no run. */
function isJob(request: FastifyRequest): boolean {
  return isJobName(identityOf(request).name);
}

function textsOf<K extends string>(body: unknown, keys: readonly K[]): Partial<Record<K, string>> {
  const given = isObject(body) ? body : {};
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = given[key];
      if (value === undefined || value === null) return [];
      if (typeof value !== "string") throw badRequest(`"${key}" must be text`);
      return [[key, value]];
    }),
  ) as Partial<Record<K, string>>;
}

interface ReviewBody {
  readonly state?: unknown;
  readonly environments?: unknown;
  readonly comment?: unknown;
  readonly force?: unknown;
}

function reviewRoutes(app: FastifyInstance, { workflows }: EnvironmentRoutesOptions): void {
  const { reviews } = workflows;
  /** What a token for one repository may not see is not there. */
  const requireRun = async (request: FastifyRequest<Run>, verb: Verb): Promise<string> => {
    const run = await workflows.getRun(request.params.id);
    if (run === undefined) throw notFound(`run ${request.params.id}`);
    requireApi(request, verb, run.repository);
    return run.id;
  };
  app.get<Run>("/runs/:id/pending", own, async (request) => ({
    items: await reviews.pending(await requireRun(request, "read"), identityOf(request)),
  }));
  app.get<Run>("/runs/:id/reviews", own, async (request) => ({
    items: await reviews.list(await requireRun(request, "read")),
  }));
  app.post<Run & { Body: ReviewBody | null }>("/runs/:id/reviews", own, async (request) => {
    const id = await requireRun(request, "write");
    return { items: await reviews.give(id, { ...readReview(request.body), by: identityOf(request) }) };
  });
}

function readReview(body: ReviewBody | null): Omit<Parameters<Workflows["reviews"]["give"]>[1], "by"> {
  const { state, environments, comment = "", force = false } = isObject(body) ? (body as ReviewBody) : {};
  if (state !== "approved" && state !== "rejected") {
    throw badRequest('Say what becomes of what waits: {"state": "approved"} or {"state": "rejected"}');
  }
  if (typeof comment !== "string" || typeof force !== "boolean") {
    throw badRequest('A comment is text and "force" is true or false');
  }
  if (environments === undefined) return { state, comment, force };
  if (
    !Array.isArray(environments) ||
    environments.length === 0 ||
    environments.some((one) => typeof one !== "string")
  ) {
    throw badRequest("Environments are a list of names, at least one of them");
  }
  return { state, comment, force, environments: environments as string[] };
}

function requireApi(request: FastifyRequest, verb: Verb, repository: string): void {
  const identity = identityOf(request);
  if ((["api", "deployments"] as const).some((area) => permits(identity, area, verb, repository))) return;
  const message = `This token may not do that: it needs the scope api:${verb} or deployments:${verb}:${repository}`;
  throw new ApiError("api/forbidden", message);
}

/** Rules hold people back: who they hold back must not be able to change them. */
function requireAdmin(request: FastifyRequest): string {
  const { name, scopes } = identityOf(request);
  if (scopes.includes("admin")) return name;
  throw new ApiError("api/forbidden", "This token may not change environments: it needs the scope admin");
}

async function recordChange(
  { timeline, clock, feed }: EnvironmentRoutesOptions,
  repository: string,
  environment: string,
  title: string,
  actor: string,
): Promise<void> {
  feed.notify("runs");
  const at = clock.now().toString({ smallestUnit: "millisecond" });
  const id = `environment:${repository}:${environment.toLowerCase()}:${at}`;
  const data = { repository, environment };
  await timeline.record({
    id,
    kind: "action",
    at,
    subject: repository,
    title,
    tone: "neutral",
    actor,
    causes: [],
    data,
  });
}
