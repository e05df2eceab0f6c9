/** The Prometheus metric provider: a client of the Prometheus HTTP API. */
import { evaluateExpression, parseExpression, type PrometheusProvider } from "#api";
import { errorMessage, isAbort, isObject, parseGoDuration, withDeadline } from "#lib";
import { MeasureError } from "../errors.ts";
import type { MeasurePort, MeasureResult } from "../ports.ts";
import { authorization } from "./authorization.ts";
import { readJson } from "./read-json.ts";

export interface PrometheusOptions {
  /** Asked when a metric names no address: our own `/prometheus`. */
  readonly defaultAddress: string | undefined;
  /** Headers for the default address only (its token); never sent anywhere else. */
  readonly defaultHeaders?: () => Readonly<Record<string, string>>;
  readonly fetch?: typeof globalThis.fetch;
}

const defaultTimeoutSeconds = 30;
/** A GET may be logged and cached on its way; only queries too long for a URL are posted. */
const longestGet = 4000;

export function createPrometheusMeasure(options: PrometheusOptions): MeasurePort {
  const fetch = options.fetch ?? globalThis.fetch;
  return {
    async query(provider, at, signal) {
      const deadline = withDeadline(signal, (provider.timeout ?? defaultTimeoutSeconds) * 1000);
      const address = provider.address || options.defaultAddress;
      if (address === undefined || address === "") throw new MeasureError("prometheus address is not configured");
      const { path, form } = request(provider, at);
      const headers = new Headers(provider.address ? {} : options.defaultHeaders?.());
      for (const { key, value } of provider.headers ?? []) headers.set(key, value);
      try {
        const credentials = await authorization(provider, fetch, deadline);
        if (credentials !== undefined) headers.set("authorization", credentials);
        const url = endpoint(address, path);
        takeCredentials(url, headers);
        const response = await send(fetch, url, form, headers, deadline);
        return parseResponse(response.status, await readJson(response));
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof MeasureError) throw error;
        const timedOut = deadline.aborted || isAbort(error);
        const why = timedOut ? `no answer within ${provider.timeout ?? defaultTimeoutSeconds} s` : cause(error);
        throw new MeasureError(`Cannot query Prometheus at "${shown(address)}": ${why}`, error);
      }
    },
  };
}

/** fetch hides the reason of a refused connection one level down. */
function cause(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? errorMessage(error.cause) : errorMessage(error);
}

function endpoint(address: string, path: string): URL {
  const base = URL.parse(address);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new MeasureError(`prometheus address "${address}" is not a URL: write it as http://host:port`);
  }
  base.pathname = `${base.pathname.replace(/\/+$/, "")}/api/v1/${path}`;
  return base;
}

/** `http://user:password@host` means basic auth; fetch refuses such a URL, and would tell the password to the log. */
function takeCredentials(url: URL, headers: Headers): void {
  const { username, password } = url;
  if (username === "") return;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  url.username = "";
  url.password = "";
}

/** An address without the password it may hold. */
function shown(address: string): string {
  const url = URL.parse(address);
  return url === null ? "(not a URL)" : `${url.protocol}//${url.host}${url.pathname}`;
}

function request(provider: PrometheusProvider, at: Temporal.Instant): { path: string; form: URLSearchParams } {
  const query = provider.query ?? "";
  const range = provider.rangeQuery;
  if (range === undefined) {
    return { path: "query", form: new URLSearchParams({ query, time: unixSeconds(at) }) };
  }
  const stepMs = parseGoDuration(range.step ?? "");
  if (stepMs === undefined || stepMs <= 0) {
    throw new MeasureError(`failed to parse rangeQuery.step as duration: "${range.step ?? ""}"`);
  }
  const start = unixSeconds(timeOf("start", range.start, at));
  const end = unixSeconds(timeOf("end", range.end, at));
  return { path: "query_range", form: new URLSearchParams({ query, start, end, step: String(stepMs / 1000) }) };
}

function unixSeconds(instant: Temporal.Instant): string {
  return String(instant.epochMilliseconds / 1000);
}

/** `now() - duration("1h")`. */
function timeOf(field: string, text: string | undefined, now: Temporal.Instant): Temporal.Instant {
  const parsed = parseExpression(text ?? "");
  const result =
    parsed.value === undefined
      ? { kind: "error" as const, message: parsed.problems[0]?.message ?? "" }
      : evaluateExpression(parsed.value, { functions: { now: () => now } });
  if (result.kind === "value" && result.value instanceof Temporal.Instant) return result.value;
  const why = result.kind === "error" ? result.message : "it is no time";
  throw new MeasureError(`failed to parse rangeQuery.${field} as time: ${why}`);
}

async function send(
  fetch: typeof globalThis.fetch,
  url: URL,
  form: URLSearchParams,
  headers: Headers,
  signal: AbortSignal,
): Promise<Response> {
  if (form.toString().length > longestGet) return await fetch(url, { method: "POST", body: form, headers, signal });
  url.search = form.toString();
  return await fetch(url, { headers, signal });
}

function parseResponse(status: number, body: unknown): MeasureResult {
  if (!isObject(body) || typeof body["status"] !== "string") {
    throw new MeasureError(`bad_response: HTTP ${status} without a Prometheus answer`);
  }
  if (body["status"] !== "success") {
    const type = typeof body["errorType"] === "string" ? body["errorType"] : "error";
    throw new MeasureError(`${type}: ${typeof body["error"] === "string" ? body["error"] : `HTTP ${status}`}`);
  }
  const data = isObject(body["data"]) ? body["data"] : {};
  const warnings = Array.isArray(body["warnings"]) ? body["warnings"].map(String) : [];
  return { ...parseData(data["resultType"], data["result"]), warnings };
}

function parseData(type: unknown, result: unknown): MeasureResult {
  if (type === "scalar") return { kind: "scalar", value: sample(result) };
  const series = Array.isArray(result) ? result.filter(isObject) : [];
  if (type === "vector") return { kind: "vector", values: series.map((one) => sample(one["value"])) };
  if (type === "matrix") {
    const values = series.flatMap((one) => (Array.isArray(one["values"]) ? one["values"].map(sample) : []));
    return { kind: "matrix", values };
  }
  throw new MeasureError("Prometheus metric type not supported");
}

/** `[ <unix time>, "<number>" ]` */
function sample(pair: unknown): number {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (typeof text !== "string") throw new MeasureError("bad_response: sample without a value");
  if (text === "NaN") return Number.NaN;
  const value = Number(text.replace(/Inf$/, "Infinity"));
  if (Number.isNaN(value)) throw new MeasureError(`bad_response: sample "${text.slice(0, 40)}" is no number`);
  return value;
}
