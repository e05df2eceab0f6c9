import type { FastifyInstance } from "fastify";
import type { Forge } from "#forge";
import type { Repositories } from "#git";
import type { SecretsRoom } from "#secrets";
import type { Environments } from "#workflows";
import { badRequest, notFound } from "./api-error.ts";
import { isReservedOwner } from "./reserved-owners.ts";

interface ProtectBody {
  branch?: string;
  allowForcePush?: boolean;
  allowDeletions?: boolean;
  requirePullRequest?: boolean;
  requiredChecks?: readonly string[];
}

export function repositoryRoutes(
  app: FastifyInstance,
  repositories: Repositories,
  secrets: Pick<SecretsRoom, "forget">,
  environments: Pick<Environments, "forget">,
  forge: Pick<Forge, "forget">,
): void {
  app.get("/repositories", async () => ({ items: await repositories.list() }));
  app.post<{ Body: { name?: string; defaultBranch?: string; description?: string } | null }>(
    "/repositories",
    async (request, reply) => {
      const { name, ...options } = request.body ?? {};
      if (typeof name !== "string") throw badRequest('A repository needs a name of the form "owner/repo"');
      const owner = name.split("/")[0] ?? "";
      if (isReservedOwner(owner)) {
        throw badRequest(`"${owner}" cannot own repositories: /${owner}/ is an address of the server itself`);
      }
      return reply.code(201).send(await repositories.create(name, options));
    },
  );
  type Named = { Params: { owner: string; name: string } };
  app.get<Named>("/repositories/:owner/:name", async ({ params }) => {
    const repository = await repositories.get(`${params.owner}/${params.name}`);
    if (repository === undefined) throw notFound(`repository "${params.owner}/${params.name}"`);
    return { ...repository, protections: await repositories.protections(repository.name) };
  });
  app.delete<Named>("/repositories/:owner/:name", async ({ params }) => {
    const name = `${params.owner}/${params.name}`;
    const repository = await repositories.get(name);
    if (repository === undefined) throw notFound(`repository "${name}"`);
    // First, so that a crash in between leaves no secrets for whoever makes a repository of this name.
    await secrets.forget(name);
    await environments.forget(name);
    await forge.forget(repository.id);
    await repositories.delete(name);
    return {};
  });
  app.put<Named & { Body: ProtectBody | null }>("/repositories/:owner/:name/protections", async ({ params, body }) => {
    const { branch, ...rule } = body ?? {};
    if (typeof branch !== "string") throw badRequest("A protection needs a branch, e.g. main or release/*");
    const { requiredChecks: checks = [] } = rule;
    if (
      !Array.isArray(checks) ||
      checks.length > 100 ||
      !checks.every((one) => typeof one === "string" && one !== "")
    ) {
      throw badRequest('Required checks are a list of at most 100 names: {"requiredChecks": ["test"]}');
    }
    await repositories.protect(`${params.owner}/${params.name}`, { branch, ...rule });
    return {};
  });
}
