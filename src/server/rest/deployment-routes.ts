/** Deployments with their statuses, and environments: what the workflows room records of its jobs, and what clients add. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DeploymentState, DeploymentStatus, DeploymentSummary, EnvironmentSummary } from "#api";
import type { Repository } from "#git";
import { isObject } from "#lib";
import type { Deployments } from "#workflows";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { isJob, reach, whoAsks, type Named, type Numbered, type RestParts } from "./face.ts";
import { type Fields, fieldsOf, numberOf, queryText } from "./fields.ts";
import { namedRef } from "./named-ref.ts";
import { paged, pagedMore, pageOf } from "./paging.ts";
import { nodeId, userShape } from "./people.ts";
import { whole } from "./check-shape.ts";
import { placeOf } from "./repository-routes.ts";
import { reviewerShape } from "./reviewer-shape.ts";
import { badField, missingField, notFound, unprocessable } from "./rest-error.ts";

type Detail = NonNullable<Awaited<ReturnType<Deployments["get"]>>>;

const states = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"] as const;
/** Older ones are found by their numbers, or by a filter. */
const maxListed = 1000;

export function deploymentRoutes(app: FastifyInstance, parts: RestParts): void {
  const base = "/repos/:owner/:repo/deployments";
  const { deployments } = parts.workflows;
  app.get<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "deployments");
    const filter = Object.fromEntries(
      (["environment", "sha", "ref", "task"] as const).flatMap((name) => {
        const value = queryText(request, name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const { page, perPage } = pageOf(request);
    const wanted = Math.min(page * perPage + 1, maxListed);
    const found: Detail[] = [];
    while (found.length < wanted) {
      const before = found.at(-1)?.id;
      const limit = Math.min(100, wanted - found.length);
      const more = await deployments.list(repository.name, {
        ...filter,
        limit,
        ...(before === undefined ? {} : { before }),
      });
      found.push(...more);
      if (more.length < limit) break;
    }
    const items = found.slice((page - 1) * perPage);
    return pagedMore(request, reply, parts.apiServer(), items).map((one) =>
      deploymentShape(one, placeOf(parts, repository)),
    );
  });
  app.get<Numbered>(`${base}/:number`, async (request) => {
    const repository = await reach(parts, request, "deployments");
    return deploymentShape(await deploymentAt(parts, repository, request), placeOf(parts, repository));
  });
  app.post<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "deployments", "write");
    const made = await create(parts, request, repository);
    return await reply.code(201).send(deploymentShape(made, placeOf(parts, repository)));
  });
  app.delete<Numbered>(`${base}/:number`, async (request, reply) => {
    const repository = await reach(parts, request, "deployments", "write");
    await deployments.delete(repository.name, numberOf(request.params.number));
    return await reply.code(204).send();
  });
  statusRoutes(app, parts, base);
  environmentRoutes(app, parts);
}

async function create(parts: RestParts, request: FastifyRequest, repository: Repository): Promise<Detail> {
  const fields = fieldsOf(request, "Deployment");
  const text = fields.text("ref");
  const at = await refAt(parts, repository, text);
  const given = fields.raw("payload");
  const parsed: unknown = typeof given === "string" ? parseOrText(given) : (given ?? {});
  const payload = isObject(parsed) ? parsed : { value: parsed };
  await requireContexts(parts, repository, at.sha, fields);
  const identity = whoAsks(request);
  const [task, description] = [fields.optionalText("task"), fields.optionalText("description")];
  const [transient, production] = [fields.flag("transient_environment"), fields.flag("production_environment")];
  const wanted = {
    repository: repository.name,
    ...at,
    environment: fields.optionalText("environment") ?? "production",
    payload: payload as never,
    creator: identity.name,
    ...(task === undefined ? {} : { task }),
    ...(description === undefined ? {} : { description }),
    ...(transient === undefined ? {} : { transient }),
    ...(production === undefined ? {} : { production }),
    ...(isJob(identity) ? { byJob: true } : {}),
  };
  return await parts.workflows.deployments.create(wanted, { signal: parts.signal });
}

/** Payloads come as objects, as JSON in a text, or as any text. */
function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Without `required_contexts` all statuses of the commit have to be good, as on GitHub. */
async function requireContexts(parts: RestParts, repository: Repository, sha: string, fields: Fields): Promise<void> {
  const wanted = fields.texts("required_contexts");
  const statuses = await parts.forge.statuses.latest(repository.id, sha);
  const names = wanted ?? statuses.map((one) => one.context);
  const bad = names.filter((name) => statuses.find((one) => one.context === name)?.state !== "success");
  if (bad.length === 0) return;
  throw unprocessable(`Conflict: Commit status checks failed for ${sha}: ${bad.join(", ")}`);
}

function statusRoutes(app: FastifyInstance, parts: RestParts, base: string): void {
  const { deployments } = parts.workflows;
  app.get<Numbered>(`${base}/:number/statuses`, async (request, reply) => {
    const repository = await reach(parts, request, "deployments");
    const deployment = await deploymentAt(parts, repository, request);
    const all = (await deployments.statuses(repository.name, deployment.id)) ?? [];
    const place = placeOf(parts, repository);
    return paged(request, reply, parts.apiServer(), all).map((one) => statusShape(one, deployment, place));
  });
  app.get<Numbered & { Params: { status: string } }>(`${base}/:number/statuses/:status`, async (request) => {
    const repository = await reach(parts, request, "deployments");
    const deployment = await deploymentAt(parts, repository, request);
    const all = (await deployments.statuses(repository.name, deployment.id)) ?? [];
    const found = all.find((one) => one.id === numberOf(request.params.status));
    if (found === undefined) throw notFound();
    return statusShape(found, deployment, placeOf(parts, repository));
  });
  app.post<Numbered>(`${base}/:number/statuses`, async (request, reply) => {
    const repository = await reach(parts, request, "deployments", "write");
    const deployment = await deploymentAt(parts, repository, request);
    const fields = fieldsOf(request, "DeploymentStatus");
    const state: DeploymentState | undefined = fields.oneOf("state", states);
    if (state === undefined) throw missingField("DeploymentStatus", "state");
    const identity = whoAsks(request);
    const description = fields.optionalText("description");
    const environmentUrl = fields.optionalText("environment_url");
    const logUrl = fields.optionalText("log_url") ?? fields.optionalText("target_url");
    const autoInactive = fields.flag("auto_inactive");
    const wanted = {
      state,
      creator: identity.name,
      ...(description === undefined ? {} : { description }),
      ...(environmentUrl === undefined ? {} : { environmentUrl }),
      ...(logUrl === undefined ? {} : { logUrl }),
      ...(autoInactive === undefined ? {} : { autoInactive }),
      ...(isJob(identity) ? { byJob: true } : {}),
    };
    const made = await deployments.addStatus(repository.name, deployment.id, wanted, { signal: parts.signal });
    return await reply.code(201).send(statusShape(made, deployment, placeOf(parts, repository)));
  });
}

function environmentRoutes(app: FastifyInstance, parts: RestParts): void {
  const { environments } = parts.workflows;
  app.get<Named>("/repos/:owner/:repo/environments", async (request, reply) => {
    const repository = await reach(parts, request, "actions");
    const all = await environments.list(repository.name);
    const place = placeOf(parts, repository);
    const shown = paged(request, reply, parts.apiServer(), all).map((one) => environmentShape(one, place));
    return { total_count: all.length, environments: shown };
  });
  app.get<Named & { Params: { name: string } }>("/repos/:owner/:repo/environments/:name", async (request) => {
    const repository = await reach(parts, request, "actions");
    const found = await environments.get(repository.name, request.params.name);
    if (found === undefined) throw notFound();
    return environmentShape(found, placeOf(parts, repository));
  });
}

async function deploymentAt(
  parts: RestParts,
  repository: Repository,
  request: FastifyRequest<Numbered>,
): Promise<Detail> {
  const found = await parts.workflows.deployments.get(repository.name, numberOf(request.params.number));
  if (found === undefined) throw notFound();
  return found;
}

async function refAt(
  parts: RestParts,
  repository: Repository,
  text: string,
): Promise<{ readonly ref: string; readonly sha: string }> {
  const named = await namedRef(parts, repository, text);
  if (named !== undefined) return named;
  const isId = /^[0-9a-f]{7,64}$/.test(text);
  const sha = isId ? await parts.repositories.resolve(repository.name, text) : undefined;
  if (sha === undefined) throw badField("Deployment", "ref", `No ref found for: ${text}`);
  return { ref: `refs/heads/${repository.defaultBranch}`, sha };
}

export function deploymentShape(deployment: Detail, place: CommitPlace): unknown {
  const url = `${apiUrl(place)}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: nodeId("Deployment", deployment.id),
    sha: deployment.sha,
    ref: shortRef(deployment),
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description === "" ? null : deployment.description,
    creator: userShape(deployment.creator, place.serverUrl),
    created_at: whole(deployment.createdAt),
    updated_at: whole(deployment.updatedAt),
    statuses_url: `${url}/statuses`,
    repository_url: apiUrl(place),
    transient_environment: deployment.transient,
    production_environment: deployment.production,
  };
}

function shortRef({ ref }: DeploymentSummary): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, "");
}

function statusShape(status: DeploymentStatus, deployment: Detail, place: CommitPlace): unknown {
  const url = `${apiUrl(place)}/deployments/${deployment.id}`;
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId("DeploymentStatus", status.id),
    state: status.state,
    creator: userShape(status.creator, place.serverUrl),
    description: status.description,
    environment: deployment.environment,
    target_url: status.logUrl ?? "",
    created_at: whole(status.createdAt),
    updated_at: whole(status.createdAt),
    deployment_url: url,
    repository_url: apiUrl(place),
    environment_url: status.environmentUrl ?? "",
    log_url: status.logUrl ?? "",
  };
}

export function environmentShape(environment: EnvironmentSummary, place: CommitPlace): unknown {
  const url = `${apiUrl(place)}/environments/${encodeURIComponent(environment.name)}`;
  const policy = environment.branchPolicy;
  const rule = (type: string, more: object): object => ({ id: environment.id, node_id: "", type, ...more });
  return {
    id: environment.id,
    node_id: nodeId("Environment", environment.id),
    name: environment.name,
    url,
    html_url: `${place.serverUrl}/runs`,
    created_at: whole(environment.createdAt),
    updated_at: whole(environment.updatedAt),
    can_admins_bypass: environment.adminsBypass,
    protection_rules: [
      ...(environment.waitMinutes > 0 ? [rule("wait_timer", { wait_timer: environment.waitMinutes })] : []),
      ...(environment.reviewers.length > 0
        ? [
            rule("required_reviewers", {
              prevent_self_review: environment.preventSelfReview,
              reviewers: environment.reviewers.map((name) => reviewerShape(name, place.serverUrl)),
            }),
          ]
        : []),
      ...(policy === "all" ? [] : [rule("branch_policy", {})]),
    ],
    deployment_branch_policy:
      policy === "all"
        ? null
        : { protected_branches: policy === "protected", custom_branch_policies: policy === "selected" },
  };
}
