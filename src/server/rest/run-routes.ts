/** Runs of workflows, their jobs and logs, their artifacts. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Repository } from "#git";
import type { RunDetails, RunFilter, RunView, Workflows } from "#workflows";
import { logText, runLogArchive } from "../wiring/run-log-archive.ts";
import { goneSignal, reach, whoAsks, type Named, type Numbered, type RestParts } from "./face.ts";
import { numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { placeOf } from "./repository-routes.ts";
import { repositoryShape } from "./repository-shape.ts";
import { notFound, RestError } from "./rest-error.ts";
import { artifactShape, jobShape, runShape } from "./run-shape.ts";

/** Older ones are found by their numbers. */
const maxListed = 1000;
const maxAtOnce = 200;

export function runRoutes(app: FastifyInstance, parts: RestParts): void {
  const base = "/repos/:owner/:repo/actions";
  app.get<Named>(`${base}/runs`, async (request, reply) => {
    const repository = await reach(parts, request, "actions");
    return await listRuns(parts, request, reply, repository, undefined);
  });
  app.get<Numbered>(`${base}/runs/:number`, async (request) => {
    const { repository, run } = await runAt(parts, request, "read");
    return await showRun(parts, repository, run);
  });
  app.post<Numbered>(`${base}/runs/:number/cancel`, async (request, reply) => {
    const { run } = await runAt(parts, request, "write");
    if (run.status === "completed")
      throw new RestError("rest/conflict", "Cannot cancel a workflow run that is completed");
    await parts.workflows.cancel(run.id);
    return await reply.code(202).send({});
  });
  for (const [path, failedOnly] of [
    ["rerun", false],
    ["rerun-failed-jobs", true],
  ] as const) {
    app.post<Numbered>(`${base}/runs/:number/${path}`, async (request, reply) => {
      const { run } = await runAt(parts, request, "write");
      await parts.workflows.rerun(run.id, { failedOnly, actor: whoAsks(request).name });
      return await reply.code(201).send({});
    });
  }
  jobRoutes(app, parts, base);
  artifactRoutes(app, parts, base);
}

export async function listRuns(
  parts: RestParts,
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  path: string | undefined,
): Promise<unknown> {
  const [event, branch, status, actor] = ["event", "branch", "status", "actor"].map((name) => queryText(request, name));
  const sha = queryText(request, "head_sha");
  const filter = { repository: repository.name, ...(path === undefined ? {} : { workflow: path }) };
  const found =
    sha === undefined
      ? await allRuns(parts.workflows, { ...filter, ...(event === undefined ? {} : { event }) })
      : (await parts.commitChecks.runs(repository, sha)).filter(
          (run) => path === undefined || run.workflow.path === path,
        );
  const wanted = found.filter(
    (run) =>
      (event === undefined || run.event === event) &&
      (branch === undefined || branchOf(run) === branch) &&
      (status === undefined || run.status === status || run.conclusion === status) &&
      (actor === undefined || run.actor === actor),
  );
  const page = paged(request, reply, parts.apiServer(), wanted);
  const runs = [];
  for (const run of page) runs.push(await showRun(parts, repository, run));
  return { total_count: wanted.length, workflow_runs: runs };
}

async function allRuns(workflows: Workflows, filter: RunFilter): Promise<readonly RunView[]> {
  const runs: RunView[] = [];
  for (;;) {
    const last = runs.at(-1)?.id;
    const some = await workflows.listRuns({
      ...filter,
      limit: maxAtOnce,
      ...(last === undefined ? {} : { before: last }),
    });
    runs.push(...some);
    if (some.length < maxAtOnce || runs.length >= maxListed) return runs;
  }
}

async function showRun(parts: RestParts, repository: Repository, run: RunView): Promise<unknown> {
  const headSha = await parts.commitChecks.headOf(run);
  const suiteId = await parts.forge.checks.suite(repository.id, headSha);
  const pull = /^refs\/pull\/(\d+)\//.exec(run.ref)?.[1];
  const head = pull === undefined ? undefined : (await parts.forge.pulls.get(repository.id, Number(pull)))?.head.ref;
  const shape = repositoryShape(repository, parts.serverUrl());
  const facts = { run, headSha, headBranch: head ?? branchOf(run), suiteId, repository: shape };
  return runShape(facts, placeOf(parts, repository));
}

function branchOf(run: RunView): string {
  return run.ref.replace(/^refs\/(?:heads|tags)\//, "");
}

interface OfRun extends Numbered {
  readonly Params: Numbered["Params"] & { readonly attempt?: string };
}

/** @throws `RestError` when there is no such run, or no such attempt of it. */
async function runAt(
  parts: RestParts,
  request: FastifyRequest<OfRun>,
  verb: "read" | "write",
): Promise<{ readonly repository: Repository; readonly run: RunDetails }> {
  const repository = await reach(parts, request, "actions", verb);
  const { number, attempt } = request.params;
  const run = await parts.workflows.getRun(number, attempt === undefined ? undefined : numberOf(attempt));
  if (run?.repository !== repository.name) throw notFound();
  return { repository, run };
}

/** With the jobs of all attempts, the newest attempt first: re-runs keep what was before. */
async function withEarlierJobs<Found extends { readonly run: RunDetails }>(
  workflows: Workflows,
  found: Found,
): Promise<Found> {
  const jobs = [...found.run.jobs];
  for (let attempt = found.run.attempt - 1; attempt >= 1; attempt--) {
    jobs.push(...((await workflows.getRun(found.run.id, attempt))?.jobs ?? []));
  }
  return { ...found, run: { ...found.run, jobs } };
}

function jobRoutes(app: FastifyInstance, parts: RestParts, base: string): void {
  const { workflows, commitChecks } = parts;
  const list = async (
    request: FastifyRequest<Numbered>,
    reply: FastifyReply,
    { repository, run }: Awaited<ReturnType<typeof runAt>>,
  ): Promise<unknown> => {
    const headSha = await commitChecks.headOf(run);
    const jobs = run.jobs.filter((job) => job.uses === undefined);
    const place = placeOf(parts, repository);
    const shown = paged(request, reply, parts.apiServer(), jobs).map((job) => jobShape(run, job, headSha, place));
    return { total_count: jobs.length, jobs: shown };
  };
  app.get<OfRun>(`${base}/runs/:number/jobs`, async (request, reply) => {
    const all = queryText(request, "filter") === "all";
    const found = await runAt(parts, request, "read");
    return await list(request, reply, all ? await withEarlierJobs(workflows, found) : found);
  });
  app.get<OfRun>(`${base}/runs/:number/attempts/:attempt/jobs`, async (request, reply) => {
    return await list(request, reply, await runAt(parts, request, "read"));
  });
  for (const path of ["logs", "attempts/:attempt/logs"]) {
    app.get<OfRun>(`${base}/runs/:number/${path}`, async (request, reply) => {
      const { run } = await runAt(parts, request, "read");
      const name = `logs_${run.id}.zip`;
      void reply.type("application/zip").header("content-disposition", `attachment; filename=${name}`);
      return await reply.send(Readable.from(runLogArchive(workflows, run, goneSignal(parts, reply))));
    });
  }
  const jobAt = async (request: FastifyRequest<Numbered>) => {
    const repository = await reach(parts, request, "actions");
    const job = await workflows.getJob(request.params.number);
    const run = job === undefined ? undefined : await workflows.getRun(job.runId);
    if (job === undefined || run?.repository !== repository.name) throw notFound();
    return { repository, run, job };
  };
  app.get<Numbered>(`${base}/jobs/:number`, async (request) => {
    const { repository, run, job } = await jobAt(request);
    return jobShape(run, job, await commitChecks.headOf(run), placeOf(parts, repository));
  });
  app.get<Numbered>(`${base}/jobs/:number/logs`, async (request, reply) => {
    const { job } = await jobAt(request);
    const lines = workflows.logs(job.id, { signal: goneSignal(parts, reply) });
    return await reply.type("text/plain; charset=utf-8").send(Readable.from(logText(lines)));
  });
}

function artifactRoutes(app: FastifyInstance, parts: RestParts, base: string): void {
  const { artifacts: service, workflows, commitChecks } = parts;
  app.get<Numbered>(`${base}/runs/:number/artifacts`, async (request, reply) => {
    const { repository, run } = await runAt(parts, request, "read");
    const name = queryText(request, "name");
    const all = (await service.artifacts.list(run.id)).filter((one) => name === undefined || one.name === name);
    const headSha = await commitChecks.headOf(run);
    const place = placeOf(parts, repository);
    const shown = paged(request, reply, parts.apiServer(), all).map((one) => artifactShape(one, run, headSha, place));
    return { total_count: all.length, artifacts: shown };
  });
  const shown = async (
    repository: Repository,
    artifact: Awaited<ReturnType<typeof service.artifacts.list>>[number],
  ) => {
    const run = await workflows.getRunView(artifact.runId);
    const headSha = run === undefined ? "" : await commitChecks.headOf(run);
    return artifactShape(artifact, run, headSha, placeOf(parts, repository));
  };
  app.get<Named>(`${base}/artifacts`, async (request, reply) => {
    const repository = await reach(parts, request, "actions");
    const all = await service.artifacts.listOfRepository(repository.name, queryText(request, "name"));
    const page = paged(request, reply, parts.apiServer(), all);
    return { total_count: all.length, artifacts: await Promise.all(page.map((one) => shown(repository, one))) };
  });
  const artifactAt = async (request: FastifyRequest<Numbered>, verb: "read" | "write") => {
    const repository = await reach(parts, request, "actions", verb);
    const artifact = await service.artifacts.get(numberOf(request.params.number));
    if (artifact?.repository !== repository.name) throw notFound();
    return { repository, artifact };
  };
  app.get<Numbered>(`${base}/artifacts/:number`, async (request) => {
    const { repository, artifact } = await artifactAt(request, "read");
    return await shown(repository, artifact);
  });
  app.get<Numbered>(`${base}/artifacts/:number/zip`, async (request, reply) => {
    const { artifact } = await artifactAt(request, "read");
    const zipped = artifact.mimeType === "application/zip";
    const fileName = zipped ? `${artifact.name}.zip` : artifact.name;
    const presentation = { contentType: artifact.mimeType, fileName };
    const path = service.urls.pathFor({ id: artifact.blob, access: "read" }, presentation);
    return await reply.redirect(`${parts.apiServer()}${path}`, 302);
  });
  app.delete<Numbered>(`${base}/artifacts/:number`, async (request, reply) => {
    const { artifact } = await artifactAt(request, "write");
    await service.artifacts.remove(artifact.id);
    return await reply.code(204).send();
  });
}
