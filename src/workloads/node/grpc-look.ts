/**
 * One call of `grpc.health.v1.Health/Check` over HTTP/2 without TLS. Request: message with field 1, the service's name;
 * answer: field 1, the status, of which 1 is SERVING. Each stands behind five bytes: not compressed, and its length.
 */
import { type ClientHttp2Session, connect as connectHttp2, constants, type IncomingHttpHeaders } from "node:http2";
import type { Probe } from "#api";
import { connectionText } from "./connection-text.ts";
import { failed, type ProbeResult, type ProbeTarget } from "./probe-target.ts";

const statuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
/** gRPC status codes that upstream has words for. */
const deadlineExceeded = 4;
const notImplemented = 12;
const codes: Readonly<Record<number, string>> = { 2: "Unknown", 5: "NotFound", 13: "Internal", 14: "Unavailable" };

export async function lookGrpc(
  look: NonNullable<Probe["grpc"]>,
  target: ProbeTarget,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = target.port(look.port);
  if (port === undefined) return failed(`couldn't find port: ${look.port}`);
  const address = `${target.host}:${port}`;
  const session = connectHttp2(`http://${address}`);
  const stop = (): void => session.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const problem = await connected(session);
    if (signal.aborted) {
      return failed(
        `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`,
      );
    }
    if (problem !== undefined) {
      return failed(`error: failed to connect service at "${address}": ${connectionText(problem, target.host, port)}`);
    }
    const answer = await check(session, look.service ?? "");
    if (signal.aborted) return failed(`timeout: health rpc did not complete within ${timeoutSeconds}s`);
    return verdict(answer, timeoutSeconds);
  } finally {
    signal.removeEventListener("abort", stop);
    session.destroy();
  }
}

async function connected(session: ClientHttp2Session): Promise<Error | undefined> {
  return await new Promise((resolve) => {
    session.once("connect", () => resolve(undefined));
    session.once("error", resolve);
    session.once("close", () => resolve(new Error("the connection was closed")));
  });
}

interface HealthAnswer {
  readonly body: Buffer;
  /** The last word on the call: `grpc-status` and `grpc-message`. */
  readonly trailers: IncomingHttpHeaders;
  readonly error: Error | undefined;
}

const maxAnswer = 1024;

async function check(session: ClientHttp2Session, service: string): Promise<HealthAnswer> {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    "user-agent": "kube-probe/1.33",
    te: "trailers",
  });
  return await new Promise<HealthAnswer>((resolve) => {
    let trailers: IncomingHttpHeaders = {};
    let error: Error | undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    // A call that fails at once has its status among the headers.
    stream.on("response", (headers) => (trailers = { ...headers, ...trailers }));
    stream.on("trailers", (headers) => (trailers = { ...trailers, ...headers }));
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxAnswer) chunks.push(chunk);
      else stream.close();
    });
    stream.on("error", (reason) => (error = reason));
    session.on("error", (reason) => (error ??= reason));
    stream.once("close", () => resolve({ body: Buffer.concat(chunks), trailers, error }));
    stream.end(requestMessage(service));
  });
}

function verdict({ body, trailers, error }: HealthAnswer, timeoutSeconds: number): ProbeResult {
  const code = Number(trailers["grpc-status"] ?? (error === undefined && body.length > 0 ? 0 : 14));
  const message = decodeURIComponentSafely(String(trailers["grpc-message"] ?? error?.message ?? "no answer"));
  if (code === notImplemented) {
    return failed(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`);
  }
  if (code === deadlineExceeded) return failed(`timeout: health rpc did not complete within ${timeoutSeconds}s`);
  if (code !== 0) {
    return failed(
      `error: health rpc probe failed: rpc error: code = ${codes[code] ?? `Code(${code})`} desc = ${message}`,
    );
  }
  const status = healthStatus(body);
  return status === 1 ? { ok: true } : failed(`service unhealthy (responded with "${statuses[status] ?? status}")`);
}

/** Field 1 as a varint; absent means 0. Other fields are none that this message has. */
export function healthStatus(body: Buffer): number {
  return body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
}

/** A service's name may be longer than one byte can count. */
export function requestMessage(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** gRPC percent-encodes messages; one that is not well formed is shown as it came. */
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
