/** Reviews of what waits for an environment. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { PendingReview } from "#api";
import type { Repository } from "#git";
import type { RunDetails } from "#workflows";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { deploymentShape } from "./deployment-routes.ts";
import { reach, whoAsks, type Numbered, type RestParts } from "./face.ts";
import { fieldsOf } from "./fields.ts";
import { nodeId, userShape } from "./people.ts";
import { placeOf } from "./repository-routes.ts";
import { reviewerShape } from "./reviewer-shape.ts";
import { badField, missingField, notFound } from "./rest-error.ts";

export function reviewRoutes(app: FastifyInstance, parts: RestParts): void {
  const base = "/repos/:owner/:repo/actions/runs/:number";
  const { reviews, environments } = parts.workflows;
  app.get<Numbered>(`${base}/pending_deployments`, async (request) => {
    const { repository, run } = await runAt(parts, request, "read");
    const pending = await reviews.pending(run.id, whoAsks(request));
    return pending.map((one) => pendingShape(one, placeOf(parts, repository)));
  });
  app.post<Numbered>(`${base}/pending_deployments`, async (request) => {
    const { repository, run } = await runAt(parts, request, "write");
    const before = await reviews.pending(run.id, whoAsks(request));
    const review = readReview(request, before);
    await reviews.give(run.id, { ...review, force: false, by: whoAsks(request) });
    const jobs = new Set(
      before
        .filter(({ environment }) => review.environments.includes(environment.name))
        .flatMap((one) => one.jobs.map(({ id }) => id)),
    );
    const recent = await parts.workflows.deployments.list(repository.name, { limit: 100 });
    const reviewed = recent.filter(({ jobId }) => jobId !== undefined && jobs.has(jobId));
    return reviewed.map((one) => deploymentShape(one, placeOf(parts, repository)));
  });
  app.get<Numbered>(`${base}/approvals`, async (request) => {
    const { repository, run } = await runAt(parts, request, "read");
    const place = placeOf(parts, repository);
    const known = await environments.list(repository.name);
    return (await reviews.list(run.id)).map(({ environment, state, comment, actor }) => ({
      environments: known
        .filter(({ name }) => name.toLowerCase() === environment.toLowerCase())
        .map((one) => ({ ...named(one, place), created_at: one.createdAt, updated_at: one.updatedAt })),
      state,
      user: userShape(actor, place.serverUrl),
      comment,
    }));
  });
}

async function runAt(
  parts: RestParts,
  request: FastifyRequest<Numbered>,
  verb: "read" | "write",
): Promise<{ readonly repository: Repository; readonly run: RunDetails }> {
  const repository = await reach(parts, request, "deployments", verb);
  const run = await parts.workflows.getRun(request.params.number);
  if (run?.repository !== repository.name) throw notFound();
  return { repository, run };
}

interface Review {
  readonly environments: readonly string[];
  readonly state: "approved" | "rejected";
  readonly comment: string;
}

function readReview(request: FastifyRequest, pending: readonly PendingReview[]): Review {
  const fields = fieldsOf(request, "PendingDeployment");
  const state = fields.oneOf("state", ["approved", "rejected"] as const);
  if (state === undefined) throw missingField("PendingDeployment", "state");
  const ids = fields.raw("environment_ids");
  if (!Array.isArray(ids) || ids.length === 0) throw missingField("PendingDeployment", "environment_ids");
  const environments = ids.map((id) => {
    const found = pending.find(({ environment }) => environment.id === id);
    if (found !== undefined) return found.environment.name;
    throw badField("PendingDeployment", "environment_ids", `No job of the run waits for environment ${String(id)}`);
  });
  return { environments, state, comment: fields.optionalText("comment") ?? "" };
}

function pendingShape(pending: PendingReview, place: CommitPlace): unknown {
  const { environment, since, mayReview } = pending;
  return {
    environment: named(environment, place),
    wait_timer: environment.waitMinutes,
    wait_timer_started_at: environment.waitMinutes === 0 ? null : since,
    current_user_can_approve: mayReview,
    reviewers: environment.reviewers.map((name) => reviewerShape(name, place.serverUrl)),
  };
}

function named({ id, name }: { readonly id: number; readonly name: string }, place: CommitPlace): object {
  return {
    id,
    node_id: nodeId("Environment", id),
    name,
    url: `${apiUrl(place)}/environments/${encodeURIComponent(name)}`,
    html_url: `${place.serverUrl}/runs`,
  };
}
