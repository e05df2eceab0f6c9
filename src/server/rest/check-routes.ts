/** Check runs and suites. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { checkConclusions, checkStatuses, firstCheckRunId, type CheckAnnotation, type CheckChange } from "#forge";
import type { Repository } from "#git";
import { appShape, annotationShape, checkRunShape, jobAnnotationShape, jobCheckShape } from "./check-shape.ts";
import { commitAt, type AtRef } from "./commit-routes.ts";
import { apiUrl } from "./commit-shape.ts";
import { forbidden, reach, whoAsks, workshopOf, type Named, type Numbered, type RestParts } from "./face.ts";
import { type Fields, fieldsOf, numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { nodeId } from "./people.ts";
import { placeOf, revision } from "./repository-routes.ts";
import { repositoryShape } from "./repository-shape.ts";
import { badField, notFound, unprocessable } from "./rest-error.ts";

export function checkRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.post<Named>("/repos/:owner/:repo/check-runs", async (request, reply) => {
    const repository = await reach(parts, request, "checks", "write");
    const fields = fieldsOf(request, "CheckRun");
    const wanted = fields.text("head_sha");
    const sha = await revision(await workshopOf(parts, repository, reply), wanted);
    if (sha === undefined) throw unprocessable(`No commit found for SHA: ${wanted}`);
    const change = { ...changeOf(fields), name: fields.text("name") };
    const check = await forge.checks.create(repository, sha, change, whoAsks(request).name);
    return await reply.code(201).send(checkRunShape(check, placeOf(parts, repository)));
  });
  app.patch<Numbered>("/repos/:owner/:repo/check-runs/:number", async (request) => {
    const repository = await reach(parts, request, "checks", "write");
    const id = numberOf(request.params.number);
    // What becomes of a job is its runner's word.
    if (id < firstCheckRunId && (await jobOf(parts, repository, id)) !== undefined) throw forbidden(whoAsks(request));
    const fields = fieldsOf(request, "CheckRun");
    const name = fields.optionalText("name");
    const change = { ...changeOf(fields), ...(name === undefined ? {} : { name }) };
    const check = await forge.checks.update(repository, id, change, whoAsks(request).name);
    return checkRunShape(check, placeOf(parts, repository));
  });
  readRoutes(app, parts);
  suiteRoutes(app, parts);
}

function readRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge, commitChecks } = parts;
  app.get<Numbered>("/repos/:owner/:repo/check-runs/:number", async (request) => {
    const repository = await reach(parts, request, "checks");
    const id = numberOf(request.params.number);
    const place = placeOf(parts, repository);
    const check = await forge.checks.get(repository.id, id);
    if (check !== undefined) return checkRunShape(check, place);
    const found = await jobOf(parts, repository, id);
    if (found === undefined) throw notFound();
    const sha = await commitChecks.headOf(found.run);
    return jobCheckShape(found, sha, await forge.checks.suite(repository.id, sha), place);
  });
  app.get<Numbered>("/repos/:owner/:repo/check-runs/:number/annotations", async (request, reply) => {
    const repository = await reach(parts, request, "checks");
    const id = numberOf(request.params.number);
    const place = placeOf(parts, repository);
    const check = await forge.checks.get(repository.id, id);
    if (check !== undefined) {
      const all = await forge.checks.annotations(repository.id, id);
      return paged(request, reply, parts.apiServer(), all).map((one) => annotationShape(one, check.sha, place));
    }
    const found = await jobOf(parts, repository, id);
    if (found === undefined) throw notFound();
    const sha = await commitChecks.headOf(found.run);
    const { annotations } = found.job;
    return paged(request, reply, parts.apiServer(), annotations).map((one) => jobAnnotationShape(one, sha, place));
  });
  app.get<AtRef>("/repos/:owner/:repo/commits/:ref/check-runs", async (request, reply) => {
    const { repository, sha } = await commitAt(parts, request, reply, "checks");
    return await listChecks(parts, request, reply, repository, sha);
  });
}

/** Of a commit: what clients made, then the jobs. */
async function listChecks(
  parts: RestParts,
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  sha: string,
): Promise<unknown> {
  const { forge, commitChecks } = parts;
  const place = placeOf(parts, repository);
  const suite = await forge.checks.suite(repository.id, sha);
  const made = await forge.checks.list(repository.id, sha, queryText(request, "filter") === "all");
  const jobs = await commitChecks.jobs(repository, sha);
  const all = [
    ...made.map((check) => checkRunShape(check, place)),
    ...jobs.map((job) => jobCheckShape(job, sha, suite, place)),
  ];
  const [name, status] = [queryText(request, "check_name"), queryText(request, "status")];
  const wanted = all.filter(
    (one) => (name === undefined || one.name === name) && (status === undefined || one.status === status),
  );
  return { total_count: wanted.length, check_runs: paged(request, reply, parts.apiServer(), wanted) };
}

function suiteRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<AtRef>("/repos/:owner/:repo/commits/:ref/check-suites", async (request, reply) => {
    const { repository, sha } = await commitAt(parts, request, reply, "checks");
    const suite = await suiteShape(parts, repository, sha);
    return { total_count: 1, check_suites: [suite] };
  });
  app.get<Numbered>("/repos/:owner/:repo/check-suites/:number", async (request) => {
    const repository = await reach(parts, request, "checks");
    const sha = await forge.checks.suiteSha(repository.id, numberOf(request.params.number));
    if (sha === undefined) throw notFound();
    return await suiteShape(parts, repository, sha);
  });
  app.get<Numbered>("/repos/:owner/:repo/check-suites/:number/check-runs", async (request, reply) => {
    const repository = await reach(parts, request, "checks");
    const sha = await forge.checks.suiteSha(repository.id, numberOf(request.params.number));
    if (sha === undefined) throw notFound();
    return await listChecks(parts, request, reply, repository, sha);
  });
}

async function suiteShape(parts: RestParts, repository: Repository, sha: string): Promise<unknown> {
  const { forge, commitChecks, serverUrl } = parts;
  const place = placeOf(parts, repository);
  const id = await forge.checks.suite(repository.id, sha);
  const results = await commitChecks.of(repository, sha, "");
  const failed = results.some((one) => one.state === "failure");
  const open = results.some((one) => one.state === "pending");
  return {
    id,
    node_id: nodeId("CheckSuite", id),
    head_branch: null,
    head_sha: sha,
    status: results.length === 0 ? "queued" : open ? "in_progress" : "completed",
    conclusion: results.length === 0 || open ? null : failed ? "failure" : "success",
    url: `${apiUrl(place)}/check-suites/${id}`,
    before: null,
    after: sha,
    pull_requests: [],
    app: appShape("run/0", place),
    repository: repositoryShape(repository, serverUrl()),
    latest_check_runs_count: results.length,
    check_runs_url: `${apiUrl(place)}/check-suites/${id}/check-runs`,
  };
}

async function jobOf(parts: RestParts, repository: Repository, id: number) {
  const job = await parts.workflows.getJob(String(id));
  const run = job === undefined ? undefined : await parts.workflows.getRun(job.runId);
  return job === undefined || run?.repository !== repository.name ? undefined : { run, job };
}

function changeOf(fields: Fields): CheckChange {
  const output = fields.object("output");
  const annotations = output?.objects("annotations")?.map(annotationOf);
  return {
    status: fields.oneOf("status", checkStatuses),
    conclusion: fields.oneOf("conclusion", checkConclusions),
    detailsUrl: fields.nullableText("details_url"),
    externalId: fields.optionalText("external_id"),
    startedAt: fields.time("started_at"),
    completedAt: fields.time("completed_at"),
    output:
      output === undefined
        ? undefined
        : {
            title: output.nullableText("title"),
            summary: output.nullableText("summary"),
            text: output.nullableText("text"),
            annotations,
          },
  };
}

const maxMessageLength = 65_536;

function annotationOf(fields: Fields): CheckAnnotation {
  const start = fields.number("start_line");
  const level = fields.oneOf("annotation_level", ["notice", "warning", "failure"]);
  if (start === undefined || level === undefined) {
    throw badField("CheckRun", "annotations", "An annotation needs path, start_line, annotation_level and message");
  }
  const message = fields.text("message");
  const details = fields.optionalText("raw_details") ?? null;
  if (message.length > maxMessageLength || (details ?? "").length > maxMessageLength) {
    throw badField("CheckRun", "annotations", `A message has at most ${maxMessageLength} characters`);
  }
  return {
    path: fields.text("path"),
    start_line: start,
    end_line: fields.number("end_line") ?? start,
    start_column: fields.number("start_column") ?? null,
    end_column: fields.number("end_column") ?? null,
    annotation_level: level,
    title: fields.optionalText("title") ?? null,
    message,
    raw_details: details,
  };
}
