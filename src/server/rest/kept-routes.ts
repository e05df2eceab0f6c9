/** What workflows keep from run to run: caches, and variables and the names of secrets, of a repository or environment. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Verb } from "#api";
import type { CacheEntryView } from "#artifacts";
import type { Repository } from "#git";
import type { Scope } from "#secrets";
import { reach, wholeApi, whoAsks, forbidden, type Named, type Numbered, type RestParts } from "./face.ts";
import { fieldsOf, numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { missingField, notFound, RestError } from "./rest-error.ts";

type Entry = { Params: { owner: string; repo: string; environment?: string; name: string } };

const repo = "/repos/:owner/:repo";

export function keptRoutes(app: FastifyInstance, parts: RestParts): void {
  cacheRoutes(app, parts);
  for (const place of [`${repo}/actions`, `${repo}/environments/:environment`]) {
    variableRoutes(app, parts, `${place}/variables`);
    secretNameRoutes(app, parts, `${place}/secrets`);
  }
}

function cacheRoutes(app: FastifyInstance, parts: RestParts): void {
  const { caches } = parts.artifacts;
  const list = async (request: FastifyRequest, repository: Repository): Promise<readonly CacheEntryView[]> => {
    const [key, ref] = [queryText(request, "key"), queryText(request, "ref")];
    const all = await caches.list(repository.name);
    return all.filter(
      (one) => (key === undefined || one.key.startsWith(key)) && (ref === undefined || one.ref === ref),
    );
  };
  app.get<Named>(`${repo}/actions/caches`, async (request, reply) => {
    const all = await list(request, await reach(parts, request, "actions"));
    const field = sortFields[queryText(request, "sort") ?? ""] ?? "lastAccessedAt";
    const sign = queryText(request, "direction") === "asc" ? 1 : -1;
    const sorted = all.toSorted((a, b) => sign * (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0));
    const page = paged(request, reply, parts.apiServer(), sorted);
    return { total_count: all.length, actions_caches: page.map(cacheShape) };
  });
  app.get<Named>(`${repo}/actions/cache/usage`, async (request) => {
    const repository = await reach(parts, request, "actions");
    const all = await caches.list(repository.name);
    return {
      full_name: repository.name,
      active_caches_size_in_bytes: all.reduce((sum, one) => sum + one.sizeInBytes, 0),
      active_caches_count: all.length,
    };
  });
  app.delete<Named>(`${repo}/actions/caches`, async (request) => {
    const repository = await reach(parts, request, "actions", "write");
    const key = queryText(request, "key");
    if (key === undefined) throw missingField("ActionsCache", "key");
    const gone = (await list(request, repository)).filter((one) => one.key === key);
    if (gone.length === 0) throw notFound();
    for (const { id } of gone) await caches.remove(repository.name, { id });
    return { total_count: gone.length, actions_caches: gone.map(cacheShape) };
  });
  app.delete<Numbered>(`${repo}/actions/caches/:number`, async (request, reply) => {
    const repository = await reach(parts, request, "actions", "write");
    const removed = await caches.remove(repository.name, { id: numberOf(request.params.number) });
    if (removed === 0) throw notFound();
    return await reply.code(204).send();
  });
}

const sortFields: Readonly<Record<string, "createdAt" | "lastAccessedAt" | "sizeInBytes">> = {
  created_at: "createdAt",
  last_accessed_at: "lastAccessedAt",
  size_in_bytes: "sizeInBytes",
};

function cacheShape(cache: CacheEntryView) {
  const { id, ref, key, version } = cache;
  const times = { created_at: cache.createdAt, last_accessed_at: cache.lastAccessedAt };
  return { id, ref, key, version, ...times, size_in_bytes: cache.sizeInBytes };
}

function variableRoutes(app: FastifyInstance, parts: RestParts, path: string): void {
  const { variables } = parts.secrets;
  const find = async (request: FastifyRequest<Entry>, verb: Verb) => {
    const scope = await scopeOf(parts, request, verb);
    const wanted = request.params.name.toUpperCase();
    const found = (await variables.list(scope)).find(({ name }) => name === wanted);
    if (found === undefined) throw notFound();
    return { scope, found };
  };
  app.get<Entry>(path, async (request, reply) => {
    const all = (await variables.list(await scopeOf(parts, request, "read"))).map(variableShape);
    return { total_count: all.length, variables: paged(request, reply, parts.apiServer(), all) };
  });
  app.get<Entry>(`${path}/:name`, async (request) => variableShape((await find(request, "read")).found));
  app.post<Entry>(path, async (request, reply) => {
    const scope = await scopeOf(parts, request, "write");
    const [name, value] = [fieldsOf(request, "Variable").text("name"), valueOf(request)];
    if ((await variables.list(scope)).some((one) => one.name === name.toUpperCase())) {
      throw new RestError("rest/conflict", "Already exists - Variable already exists");
    }
    await variables.set(scope, name, value ?? "");
    return await reply.code(201).send({});
  });
  app.patch<Entry>(`${path}/:name`, async (request, reply: FastifyReply) => {
    const { scope, found } = await find(request, "write");
    const name = fieldsOf(request, "Variable").optionalText("name") ?? found.name;
    await variables.set(scope, name, valueOf(request) ?? found.value);
    if (name.toUpperCase() !== found.name) await variables.delete(scope, found.name);
    return await reply.code(204).send();
  });
  app.delete<Entry>(`${path}/:name`, async (request, reply) => {
    const { scope, found } = await find(request, "write");
    await variables.delete(scope, found.name);
    return await reply.code(204).send();
  });
}

function valueOf(request: FastifyRequest): string | undefined {
  return fieldsOf(request, "Variable").optionalText("value");
}

function variableShape({ name, value, updatedAt }: { name: string; value: string; updatedAt: string }) {
  return { name, value, created_at: updatedAt, updated_at: updatedAt };
}

/** Values never go out, and come in by the product API: GitHub's clients encrypt them in a way of their own. */
function secretNameRoutes(app: FastifyInstance, parts: RestParts, path: string): void {
  const { secrets } = parts.secrets;
  app.get<Entry>(path, async (request, reply) => {
    const all = await secrets.list(await scopeOf(parts, request, "read"));
    const page = paged(request, reply, parts.apiServer(), all);
    return { total_count: all.length, secrets: page.map(secretShape) };
  });
  app.get<Entry>(`${path}/:name`, async (request) => {
    const all = await secrets.list(await scopeOf(parts, request, "read"));
    const found = all.find(({ name }) => name === request.params.name.toUpperCase());
    if (found === undefined) throw notFound();
    return secretShape(found);
  });
  app.delete<Entry>(`${path}/:name`, async (request, reply) => {
    await secrets.delete(await scopeOf(parts, request, "write"), request.params.name);
    return await reply.code(204).send();
  });
}

function secretShape({ name, updatedAt }: { readonly name: string; readonly updatedAt: string }) {
  return { name, created_at: updatedAt, updated_at: updatedAt };
}

/** No job may see or change these with its token, whatever `permissions` say. */
async function scopeOf(parts: RestParts, request: FastifyRequest<Entry>, verb: Verb): Promise<Scope> {
  const repository = await reach(parts, request, "metadata");
  const identity = whoAsks(request);
  if (!wholeApi(identity, verb)) throw forbidden(identity);
  const { environment } = request.params;
  if (environment === undefined) return { kind: "repository", repository: repository.name };
  const all = await parts.workflows.environments.list(repository.name);
  if (!all.some(({ name }) => name.toLowerCase() === environment.toLowerCase())) throw notFound();
  return { kind: "environment", repository: repository.name, environment };
}
