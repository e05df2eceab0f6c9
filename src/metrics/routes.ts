/** The Prometheus HTTP API (v1), as far as dashboards and analyses use it. */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { type AccessPort, permits } from "#api";
import type { Clock } from "#lib";
import { formatNumber } from "./exposition/registry.ts";
import { type Labels, matchesAll } from "./labels.ts";
import type { Metrics } from "./metrics.ts";
import { badQuery, PromqlError } from "./promql/errors.ts";
import { durationMs } from "./promql/literals.ts";
import { parsePromql } from "./promql/parse.ts";
import type { Value } from "./promql/values.ts";

export interface MetricsRoutesOptions {
  readonly metrics: Metrics;
  readonly access: AccessPort;
  readonly clock: Clock;
}

type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Mounted at `/prometheus`, so that the API is at `/prometheus/api/v1/…`. */
export function metricsRoutes(options: MetricsRoutesOptions): FastifyPluginAsync {
  const { metrics, clock } = options;
  return async (app) => {
    acceptForms(app);
    app.addHook("onRequest", (request, reply) => authorise(options.access, request, reply));
    app.setErrorHandler((error, _request, reply) => answerError(error, reply));
    route(app, "query", (parameters) => {
      const time = timeOf(text(parameters, "time"), clock);
      return resultOf(metrics.query(required(parameters, "query"), Temporal.Instant.fromEpochMilliseconds(time)), time);
    });
    route(app, "query_range", (parameters) => {
      const startMs = timeOf(required(parameters, "start"), clock);
      const endMs = timeOf(required(parameters, "end"), clock);
      const stepMs = durationMs(required(parameters, "step")) ?? Number.NaN;
      const series = metrics.queryRange(required(parameters, "query"), startMs, endMs, stepMs);
      const result = series.map(({ labels, points }) => ({
        metric: labels,
        values: points.map((point) => [point.timeMs / 1000, formatNumber(point.value)]),
      }));
      return { resultType: "matrix", result };
    });
    route(app, "series", (parameters) => selected(metrics, parameters));
    route(app, "labels", (parameters) => [...new Set(selected(metrics, parameters).flatMap(Object.keys))].sort());
    app.get<{ Params: { name: string } }>("/api/v1/label/:name/values", (request) => {
      const values = selected(metrics, request.query as Parameters).map((labels) => labels[request.params.name]);
      return success([...new Set(values.filter((value) => value !== undefined))].sort());
    });
    app.get("/api/v1/status/buildinfo", () => success({ version: "3.0.0", application: "tidegate" }));
    await Promise.resolve();
  };
}

function route(app: FastifyInstance, name: string, answer: (parameters: Parameters) => unknown): void {
  app.route({
    method: ["GET", "POST"],
    url: `/api/v1/${name}`,
    handler: (request) => success(answer({ ...(request.query as Parameters), ...(request.body as Parameters | null) })),
  });
}

function success(data: unknown): unknown {
  return { status: "success", data };
}

function acceptForms(app: FastifyInstance): void {
  const limit = { parseAs: "string" as const, bodyLimit: 1024 * 1024 };
  app.addContentTypeParser<string>("application/x-www-form-urlencoded", limit, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body)));
  });
}

async function authorise(access: AccessPort, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const identity = await access.authenticate(request.headers.authorization);
  if (identity !== undefined && permits(identity, "metrics", "read")) return;
  const code = identity === undefined ? 401 : 403;
  const error = code === 401 ? "A token is needed: Authorization: Bearer <token>" : "This token may not read metrics";
  await reply
    .code(code)
    .header("www-authenticate", "Bearer")
    .send({ status: "error", errorType: "unauthorized", error });
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  if (error instanceof PromqlError) {
    const bad = error.code === "metrics/bad-query";
    return reply
      .code(bad ? 400 : 422)
      .send({ status: "error", errorType: bad ? "bad_data" : "execution", error: error.message });
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : "The query failed";
  return reply
    .code(status)
    .send({ status: "error", errorType: status < 500 ? "bad_data" : "internal", error: message });
}

function resultOf(value: Value, timeMs: number): unknown {
  const at = timeMs / 1000;
  switch (value.type) {
    case "scalar":
      return { resultType: "scalar", result: [at, formatNumber(value.value)] };
    case "string":
      return { resultType: "string", result: [at, value.value] };
    case "vector": {
      const result = value.samples.map((sample) => ({
        metric: sample.labels,
        value: [at, formatNumber(sample.value)],
      }));
      return { resultType: "vector", result };
    }
    case "matrix": {
      const result = value.series.map(({ labels, points }) => ({
        metric: labels,
        values: points.map((point) => [point.timeMs / 1000, formatNumber(point.value)]),
      }));
      return { resultType: "matrix", result };
    }
  }
}

const maxSelected = 10_000;

function selected(metrics: Metrics, parameters: Parameters): Labels[] {
  const wanted = [parameters["match[]"] ?? []].flat().map((query) => {
    const expression = parsePromql(query);
    if (expression.kind !== "selector") throw badQuery(`match[] takes a selector: found "${query}"`);
    return expression.matchers;
  });
  const found: Labels[] = [];
  for (const { labels } of metrics.store.all()) {
    if (wanted.length > 0 && !wanted.some((matchers) => matchesAll(labels, matchers))) continue;
    found.push(labels);
    if (found.length >= maxSelected) break;
  }
  return found;
}

function text(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function required(parameters: Parameters, name: string): string {
  const value = text(parameters, name);
  if (value === undefined) throw badQuery(`The parameter "${name}" is missing`);
  return value;
}

/** Unix seconds or RFC 3339; now when absent. */
function timeOf(value: string | undefined, clock: Clock): number {
  if (value === undefined) return clock.now().epochMilliseconds;
  if (/^-?\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  try {
    return Temporal.Instant.from(value).epochMilliseconds;
  } catch {
    throw badQuery(`"${value}" is not a time: use Unix seconds or RFC 3339`);
  }
}
