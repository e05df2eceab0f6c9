/** Rules of environments as GitHub's clients set them: all of them at once, then patterns of branches and tags. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { EnvironmentSettings, EnvironmentSummary } from "#api";
import type { Repository } from "#git";
import { fnv1a32 } from "#lib";
import { environmentShape } from "./deployment-routes.ts";
import { forbidden, reach, whoAsks, type Named, type RestParts } from "./face.ts";
import { fieldsOf, numberOf, type Fields } from "./fields.ts";
import { nodeId } from "./people.ts";
import { placeOf } from "./repository-routes.ts";
import { badField, notFound } from "./rest-error.ts";
import { reviewerName } from "./reviewer-shape.ts";

type One = { Params: Named["Params"] & { name: string } };
type Policy = { Params: One["Params"] & { policy: string } };

export function environmentSettingsRoutes(app: FastifyInstance, parts: RestParts): void {
  const path = "/repos/:owner/:repo/environments/:name";
  const { environments } = parts.workflows;
  app.put<One>(path, async (request) => {
    const repository = await administer(parts, request);
    const before = await environments.get(repository.name, request.params.name);
    const settings = await readSettings(parts, fieldsOf(request, "Environment"), before);
    const made = await environments.set(repository.name, request.params.name, settings, whoAsks(request).name);
    return environmentShape(made, placeOf(parts, repository));
  });
  app.delete<One>(path, async (request, reply) => {
    const repository = await administer(parts, request);
    await environments.delete(repository.name, request.params.name);
    await parts.secrets.forgetEnvironment(repository.name, request.params.name);
    return await reply.code(204).send();
  });
  policyRoutes(app, parts, `${path}/deployment-branch-policies`);
}

/** Rules hold people back: who they hold back must not be able to change them. */
async function administer(parts: RestParts, request: FastifyRequest): Promise<Repository> {
  const repository = await reach(parts, request, "actions", "write");
  const identity = whoAsks(request);
  if (!identity.scopes.includes("admin")) throw forbidden(identity);
  return repository;
}

/** What is not named is taken back; patterns stay while they count. */
async function readSettings(
  parts: RestParts,
  fields: Fields,
  before: EnvironmentSummary | undefined,
): Promise<Partial<EnvironmentSettings>> {
  const policy = fields.object("deployment_branch_policy");
  const [isProtected, custom] = [policy?.flag("protected_branches"), policy?.flag("custom_branch_policies")];
  if (policy !== undefined && isProtected === custom) {
    const message = "protected_branches and custom_branch_policies cannot have the same value";
    throw badField("Environment", "deployment_branch_policy", message);
  }
  const selected = custom === true;
  const kept = selected && before !== undefined ? { branches: before.branches, tags: before.tags } : {};
  return {
    waitMinutes: fields.number("wait_timer") ?? 0,
    preventSelfReview: fields.flag("prevent_self_review") ?? false,
    reviewers: await readReviewers(parts, fields),
    ...(selected
      ? { branchPolicy: "selected", ...kept }
      : { branchPolicy: isProtected === true ? "protected" : "all", branches: [], tags: [] }),
  };
}

async function readReviewers(parts: RestParts, fields: Fields): Promise<readonly string[]> {
  const wanted = fields.objects("reviewers") ?? [];
  const tokens = wanted.length === 0 ? [] : await parts.tokens.list();
  return wanted.map((one) => {
    const [type, id] = [one.oneOf("type", ["User", "Team"] as const) ?? "User", one.number("id") ?? 0];
    const name = reviewerName(type, id, tokens);
    if (name !== undefined) return name;
    throw badField("Environment", "reviewers", `There is no ${type.toLowerCase()} ${id}: no token is of one`);
  });
}

interface Pattern {
  readonly type: "branch" | "tag";
  readonly name: string;
}

function policyRoutes(app: FastifyInstance, parts: RestParts, path: string): void {
  const { environments } = parts.workflows;
  const find = async (repository: Repository, name: string): Promise<EnvironmentSummary> => {
    const found = await environments.get(repository.name, name);
    if (found === undefined) throw notFound();
    return found;
  };
  const change = async (request: FastifyRequest<One>, edit: (all: readonly Pattern[]) => readonly Pattern[]) => {
    const repository = await administer(parts, request);
    const before = await find(repository, request.params.name);
    if (before.branchPolicy !== "selected") {
      throw badField("DeploymentBranchPolicy", "name", "The environment has no custom branch policies");
    }
    const all = edit(patternsOf(before));
    const named = (type: Pattern["type"]): readonly string[] =>
      all.filter((one) => one.type === type).map(({ name }) => name);
    const settings = { branches: named("branch"), tags: named("tag") };
    await environments.set(repository.name, before.name, settings, whoAsks(request).name);
  };
  app.get<One>(path, async (request) => {
    const repository = await reach(parts, request, "actions");
    const all = patternsOf(await find(repository, request.params.name));
    return { total_count: all.length, branch_policies: all.map(policyShape) };
  });
  app.post<One>(path, async (request) => {
    const fields = fieldsOf(request, "DeploymentBranchPolicy");
    const pattern = { type: fields.oneOf("type", ["branch", "tag"] as const) ?? "branch", name: fields.text("name") };
    await change(request, (all) => [...all, pattern]);
    return policyShape(pattern);
  });
  app.delete<Policy>(`${path}/:policy`, async (request, reply) => {
    const id = numberOf(request.params.policy);
    await change(request, (all) => {
      if (!all.some((one) => policyShape(one).id === id)) throw notFound();
      return all.filter((one) => policyShape(one).id !== id);
    });
    return await reply.code(204).send();
  });
}

function patternsOf({ branches, tags }: EnvironmentSettings): readonly Pattern[] {
  const of = (type: Pattern["type"], names: readonly string[]): readonly Pattern[] =>
    names.map((name) => ({ type, name }));
  return [...of("branch", branches), ...of("tag", tags)];
}

/** Patterns have no numbers here; what they say gives each a stable one. */
function policyShape({ type, name }: Pattern): Pattern & { readonly id: number; readonly node_id: string } {
  const id = fnv1a32(`${type}:${name}`) || 1;
  return { id, node_id: nodeId("DeploymentBranchPolicy", id), name, type };
}
