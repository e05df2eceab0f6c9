/** The runner protocol over HTTP, to be mounted at `/api/tidegate/v1/runner`. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { permits, type AccessPort } from "#api";
import { AppError, clientGone, errorCode, errorMessage, type Log } from "#lib";
import {
  protocolLimits,
  type AbandonRequest,
  type ActionArchiveRequest,
  type ActionsRequest,
  type ClaimRequest,
  type CompleteRequest,
  type ErrorResponse,
  type HeartbeatRequest,
  type LogLine,
  type LogRequest,
  type ReportRequest,
  type StepsRequest,
} from "../protocol.ts";
import { WorkflowsError } from "../errors.ts";
import { claimOf } from "../runners/registered-runners.ts";
import type { RunnerRow } from "../runners/schema.ts";
import {
  abandonSchema,
  actionsSchema,
  archiveSchema,
  claimSchema,
  completeSchema,
  heartbeatSchema,
  logSchema,
  reportSchema,
  stepsSchema,
} from "./protocol-schema.ts";
import type { Workflows } from "./workflows.ts";

export interface WorkflowRoutesOptions {
  readonly workflows: Workflows;
  readonly access: AccessPort;
  readonly log: Log;
}

const jobParams = {
  type: "object",
  properties: { id: { type: "string", pattern: "^[1-9]\\d{0,14}$" } },
} as const;

const bodyLimit = protocolLimits.bodyBytes;

export function workflowRoutes(options: WorkflowRoutesOptions): FastifyPluginAsync {
  const { workflows, access, log } = options;
  const { desk } = workflows;
  return async function routes(server: FastifyInstance): Promise<void> {
    server.setErrorHandler((error, _request, reply) => sendError(error, reply, log));
    const registered = new WeakMap<FastifyRequest, RunnerRow>();
    server.addHook("onRequest", async (request, reply) => {
      const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const runner = await workflows.registered.authenticate(token);
      if (runner === undefined) return await authorize(request, reply, access);
      registered.set(request, runner);
    });
    server.get("/self", (request) => ({ id: registered.get(request)?.id ?? "local" }));
    server.route<{ Body: ClaimRequest }>({
      method: "POST",
      url: "/claim",
      bodyLimit,
      schema: { body: claimSchema },
      async handler(request, reply) {
        const runner = registered.get(request);
        if (runner !== undefined) await workflows.registered.seen(runner);
        const claim = runner === undefined ? request.body : claimOf(runner, request.body);
        const assignment = await desk.claim(claim, clientGone(reply.raw), runner !== undefined);
        return assignment === undefined ? await reply.code(204).send() : assignment;
      },
    });
    jobRoute<HeartbeatRequest>(server, "heartbeat", heartbeatSchema, (id, request, signal) =>
      desk.heartbeat(id, request, signal),
    );
    jobRoute<ActionsRequest>(server, "actions", actionsSchema, (id, request, signal) =>
      workflows.actionDesk.resolve(id, request, signal),
    );
    server.route<{ Params: { id: string }; Body: ActionArchiveRequest }>({
      method: "POST",
      url: "/jobs/:id/archive",
      bodyLimit,
      schema: { params: jobParams, body: archiveSchema },
      async handler(request, reply) {
        const signal = clientGone(reply.raw);
        const archive = await workflows.actionDesk.archive(Number(request.params.id), request.body, signal);
        return await reply.type("application/x-tar").send(Readable.from(archive, { objectMode: false }));
      },
    });
    jobRoute<StepsRequest>(server, "steps", stepsSchema, (id, request) => desk.steps(id, request));
    jobRoute<ReportRequest>(server, "report", reportSchema, (id, request) => {
      checkLines(request.logs);
      return desk.report(id, request);
    });
    jobRoute<LogRequest>(server, "log", logSchema, (id, request) => desk.appendLog(id, request));
    jobRoute<CompleteRequest>(server, "complete", completeSchema, (id, request) => {
      checkOutputs(request.outputs);
      checkLines(request.logs ?? []);
      return desk.complete(id, request);
    });
    jobRoute<AbandonRequest>(server, "abandon", abandonSchema, (id, request) => desk.abandon(id, request));
    await Promise.resolve();
  };
}

/** One request about a job; what resolves to nothing is answered with `{}`. */
function jobRoute<Body>(
  server: FastifyInstance,
  name: string,
  schema: object,
  handle: (jobId: number, request: Body, signal: AbortSignal) => Promise<unknown>,
): void {
  server.route<{ Params: { id: string }; Body: Body }>({
    method: "POST",
    url: `/jobs/:id/${name}`,
    bodyLimit,
    schema: { params: jobParams, body: schema },
    handler: async (request, reply) =>
      (await handle(Number(request.params.id), request.body as Body, clientGone(reply.raw))) ?? {},
  });
}

async function authorize(request: FastifyRequest, reply: FastifyReply, access: AccessPort): Promise<void> {
  const identity = await access.authenticate(request.headers.authorization);
  if (identity === undefined) {
    const given = /^Bearer \S/i.test(request.headers.authorization ?? "");
    const message = given
      ? "The runner's token is not known: it was removed, or never registered. To register it again: tidegate runner register"
      : "Runners need a token: send Authorization: Bearer";
    await reply.code(401).send(body("workflows/unauthenticated", message));
  } else if (!permits(identity, "runner", "write")) {
    await reply.code(403).send(body("workflows/forbidden", "The token does not allow to run jobs: use a runner token"));
  }
}

/** One line is one line on disk, too. */
function checkLines(logs: ReportRequest["logs"]): void {
  let count = 0;
  for (const { lines } of logs) {
    count += lines.length;
    for (const { time, text } of lines as readonly Partial<LogLine>[]) {
      if (typeof text === "string" && text.length <= protocolLimits.logLineLength && !text.includes("\n"))
        if (typeof time === "string" && time.length <= 40 && !/\s/.test(time)) continue;
      throw new WorkflowsError("workflows/request-invalid", "A line of the log has no time, or is not one line");
    }
  }
  if (count <= protocolLimits.reportLines) return;
  const message = `The report has ${count} lines of ${protocolLimits.reportLines} allowed`;
  throw new WorkflowsError("workflows/request-invalid", message);
}

function checkOutputs(outputs: Readonly<Record<string, string>>): void {
  const length = Object.entries(outputs).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length <= protocolLimits.outputsLength) return;
  const message = `Outputs of the job have ${length} characters of ${protocolLimits.outputsLength} allowed`;
  throw new WorkflowsError("workflows/request-invalid", message);
}

const statusOf: Readonly<Record<string, number>> = {
  "workflows/not-found": 404,
  "workflows/forbidden": 403,
  "workflows/lease-lost": 410,
  "workflows/request-invalid": 400,
  "workflows/inputs-invalid": 400,
  "workflows/not-possible-now": 409,
};

function sendError(error: unknown, reply: FastifyReply, log: Log): FastifyReply {
  const known = error instanceof AppError ? statusOf[error.code] : undefined;
  if (known !== undefined) return reply.code(known).send(body((error as AppError).code, errorMessage(error)));
  const status = statusCode(error);
  if (status !== undefined && status < 500) {
    return reply.code(status).send(body(errorCode(error) ?? "workflows/request-invalid", errorMessage(error)));
  }
  log.error("Runner request failed", { error, route: reply.request.routeOptions.url });
  return reply
    .code(500)
    .send(body("workflows/failed", "The request failed on the server: its log says why. Try again"));
}

function statusCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

function body(code: string, message: string): ErrorResponse {
  return { error: { code, message } };
}
