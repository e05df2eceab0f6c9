/** Secrets and variables of workflows: names go out, values of secrets only come in. */
import type { FastifyInstance } from "fastify";
import type { SecretView, VariableView } from "#api";
import type { Repositories } from "#git";
import type { Scope, SecretsRoom } from "#secrets";
import { badRequest } from "./api-error.ts";

interface Route {
  Params: { owner: string; repo?: string };
  Querystring: { environment?: string; name?: string };
  Body: { name?: unknown; value?: unknown } | null;
}

export function secretRoutes(app: FastifyInstance, room: SecretsRoom, repositories: Repositories): void {
  const { secrets, variables } = room;
  entryRoutes(app, "secrets", secrets, repositories);
  entryRoutes(app, "variables", variables, repositories);
  app.post("/system/secrets-key/rotate", async () => ({ rewrapped: await secrets.rotate() }));
}

/** What both kinds can do; the answers of secrets have no values by their type. */
interface Entries {
  list(scope: Scope): Promise<readonly (SecretView | VariableView)[]>;
  set(scope: Scope, name: string, value: string): Promise<SecretView>;
  delete(scope: Scope, name: string): Promise<void>;
}

function entryRoutes(
  app: FastifyInstance,
  kind: "secrets" | "variables",
  entries: Entries,
  repositories: Repositories,
): void {
  for (const path of [`/${kind}/:owner`, `/${kind}/:owner/:repo`]) {
    app.get<Route>(path, async ({ params, query }) => ({
      items: await entries.list(await scopeOf(repositories, params, query)),
    }));
    app.put<Route>(path, async ({ params, query, body }) => {
      const { name, value } = body ?? {};
      if (typeof name !== "string" || typeof value !== "string") {
        throw badRequest("A name and a value are needed, both of them text");
      }
      return await entries.set(await scopeOf(repositories, params, query), name, value);
    });
    app.delete<Route>(path, async ({ params, query }) => {
      if (query.name === undefined) throw badRequest("The query has to name what to delete: ?name=…");
      await entries.delete(await scopeOf(repositories, params, query), query.name);
      return {};
    });
  }
}

/** A repository has to be there: a mistyped name would keep a secret that no job ever reads. */
async function scopeOf(
  repositories: Repositories,
  { owner, repo }: Route["Params"],
  { environment }: Route["Querystring"],
): Promise<Scope> {
  if (repo === undefined) {
    if (environment === undefined) return { kind: "owner", owner };
    throw badRequest("An environment belongs to a repository: name the repository, too");
  }
  const { name } = await repositories.require(`${owner}/${repo}`);
  if (environment === undefined) return { kind: "repository", repository: name };
  return { kind: "environment", repository: name, environment };
}
