/** Runs of workflows: list, look, follow the log, cancel, run again, dispatch. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { JobDetail, RunDetail, RunLogLine, RunSummary } from "#api";
import type { Clock, Ids } from "#lib";
import type { Repositories } from "#git";
import type { JobView, RunDetails, RunView, Workflows } from "#workflows";
import { runLogArchive } from "../wiring/run-log-archive.ts";
import { ApiError, notFound } from "./api-error.ts";
import { clientSignal, sendEvents, type ServerSentEvent } from "./server-sent-events.ts";
import { identityOf } from "./session.ts";

export interface RunRoutesOptions {
  readonly workflows: Workflows;
  readonly repositories: Repositories;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly signal: AbortSignal;
}

interface ListQuery {
  repository?: string;
  sha?: string;
  before?: string;
  limit?: string;
}

export function runRoutes(app: FastifyInstance, options: RunRoutesOptions): void {
  const { workflows } = options;
  app.get<{ Querystring: ListQuery }>("/runs", async ({ query }) => {
    const { limit, ...filter } = query;
    const runs = await workflows.listRuns({ ...filter, limit: Number(limit ?? 50) || 50 });
    return { items: runs.map(runSummary) };
  });
  app.get<{ Params: { id: string } }>("/runs/:id", async ({ params }) => {
    const run = await workflows.getRun(params.id);
    if (run === undefined) throw notFound(`run ${params.id}`);
    return runDetail(run);
  });
  app.post<{ Params: { id: string } }>("/runs/:id/cancel", async ({ params }) => {
    const run = await workflows.getRun(params.id);
    if (run?.status === "completed") {
      throw new ApiError("api/conflict", `Cannot cancel run ${params.id}: it has ended already (${run.conclusion})`);
    }
    await workflows.cancel(params.id);
    return {};
  });
  app.post<{ Params: { id: string }; Body: { failedOnly?: boolean } | null }>("/runs/:id/rerun", async (request) => {
    const failedOnly = request.body?.failedOnly ?? false;
    await workflows.rerun(request.params.id, { failedOnly, actor: identityOf(request).name });
    return {};
  });
  logRoute(app, options);
  archiveRoute(app, options);
}

function logRoute(app: FastifyInstance, { workflows, clock, signal }: RunRoutesOptions): void {
  type Route = { Params: { job: string }; Querystring: { step?: string; from?: string; follow?: string } };
  app.get<Route>("/jobs/:job/log", async (request, reply) => {
    const { step, from, follow } = request.query;
    const { job } = request.params;
    if ((await workflows.getJob(job)) === undefined) throw notFound(`job ${job}`);
    const mine = clientSignal(reply, signal);
    const lines = workflows.logs(job, {
      ...(step === undefined ? {} : { step: Number(step) }),
      ...(from === undefined ? {} : { fromLine: Number(from) }),
      follow: follow === "1" || follow === "true",
      signal: mine,
    });
    if ((request.headers.accept ?? "").includes("text/event-stream")) {
      await sendEvents(reply, lineEvents(lines), clock, mine);
      return reply;
    }
    return reply.type("application/x-ndjson").send(Readable.from(jsonLines(lines)));
  });
}

/** All logs of a run, for people to keep. */
function archiveRoute(app: FastifyInstance, { workflows, signal }: RunRoutesOptions): void {
  app.get<{ Params: { id: string } }>("/runs/:id/logs", async ({ params }, reply) => {
    const run = await workflows.getRun(params.id);
    if (run === undefined) throw notFound(`run ${params.id}`);
    void reply.type("application/zip").header("content-disposition", `attachment; filename=logs_${run.id}.zip`);
    return reply.send(Readable.from(runLogArchive(workflows, run, clientSignal(reply, signal))));
  });
}

/** Lines in batches as they come, then `end`, so that a browser knows a finished log from a broken stream. */
async function* lineEvents(lines: AsyncIterable<RunLogLine>): AsyncGenerator<ServerSentEvent> {
  for await (const line of lines) yield { name: "line", data: line };
  yield { name: "end", data: {} };
}

async function* jsonLines(lines: AsyncIterable<RunLogLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

function runSummary(run: RunView): RunSummary {
  const {
    workflow,
    status,
    conclusion,
    cancelRequested: _cancel,
    problems: _problems,
    triggeringActor: _by,
    ...rest
  } = run;
  return {
    ...rest,
    workflow: workflow.name,
    path: workflow.path,
    status: status === "pending" ? "queued" : status,
    ...(conclusion === undefined ? {} : { conclusion }),
  };
}

function runDetail(run: RunDetails): RunDetail {
  return { ...runSummary(run), problems: run.problems, jobs: run.jobs.map(jobDetail) };
}

function jobDetail(job: JobView): JobDetail {
  return {
    id: job.id,
    key: job.key,
    name: job.name,
    ...(job.parentId === undefined ? {} : { parentId: job.parentId }),
    ...(job.uses === undefined ? {} : { uses: job.uses }),
    ...(job.environment === undefined ? {} : { environment: job.environment }),
    ...(job.environmentUrl === undefined ? {} : { environmentUrl: job.environmentUrl }),
    needs: job.needs,
    status: job.status === "completed" || job.status === "in_progress" ? job.status : "queued",
    ...(job.conclusion === undefined ? {} : { conclusion: job.conclusion }),
    ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
    ...(job.completedAt === undefined ? {} : { completedAt: job.completedAt }),
    ...(job.runnerName === undefined ? {} : { runner: job.runnerName }),
    ...(job.message === undefined ? {} : { message: job.message }),
    ...(job.held === undefined ? {} : { held: job.held }),
    steps: job.steps,
    ...(job.actions.length === 0 ? {} : { actions: job.actions.map(({ locked: _locked, ...action }) => action) }),
    annotations: job.annotations,
    summary: job.summary,
  };
}
