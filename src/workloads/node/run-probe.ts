/** One look at a container: HTTP, TCP or a command. Failures are results, in kubelet's words, never throws. */
import { connect as connectHttp2, constants } from "node:http2";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { IntOrString, Probe } from "#api";
import { errorCode, errorMessage, isAbort } from "#lib";
import type { ContainerRecord, PodRuntimePort } from "../ports.ts";

export interface ProbeTarget {
  readonly record: ContainerRecord;
  readonly runtime: PodRuntimePort;
  readonly host: string;
  /** Where a container port, by number or name, is reached. */
  readonly port: (port: IntOrString) => number | undefined;
}

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface HttpLook {
  readonly path?: string;
  readonly port: IntOrString;
  readonly host?: string;
  readonly scheme?: string;
  readonly httpHeaders?: readonly { name: string; value: string }[];
}

export async function runProbe(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    if (probe.httpGet !== undefined) return await lookHttp(probe.httpGet, target, deadline);
    if (probe.tcpSocket !== undefined) return await lookTcp(probe.tcpSocket, target, deadline);
    if (probe.grpc !== undefined) return await lookGrpc(probe.grpc, target, deadline);
    return await lookExec(probe.exec?.command ?? [], target, timeoutMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted || isAbort(error)) return failed(`probe timed out after ${timeoutMs / 1000}s`);
    return failed(errorMessage(error));
  }
}

/** Any answer from 200 to 399 will do; its body is not read. */
export async function lookHttp(look: HttpLook, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const port = target.port(look.port);
  if (port === undefined) return failed(`couldn't find port: ${look.port}`);
  const host = look.host ?? target.host;
  const path = (look.path ?? "/").startsWith("/") ? (look.path ?? "/") : `/${look.path}`;
  const secure = look.scheme === "HTTPS";
  const headers: Record<string, string> = { "user-agent": "kube-probe/1.32", accept: "*/*", connection: "close" };
  for (const { name, value } of look.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const options = { host, port, path, headers, signal, agent: false as const, maxHeaderSize: 16 * 1024 };
  return await new Promise<ProbeResult>((resolve, reject) => {
    // A container's own certificate is what it is: reaching it is what is asked.
    const request = secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.once("response", (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      if (status >= 200 && status < 400) resolve({ ok: true });
      else resolve(failed(`HTTP probe failed with statuscode: ${status}`));
    });
    request.once("error", (error) => {
      if (signal.aborted) reject(error);
      else
        resolve(
          failed(`Get "http${secure ? "s" : ""}://${host}:${port}${path}": ${connectionText(error, host, port)}`),
        );
    });
    request.end();
  });
}

async function lookTcp(
  look: NonNullable<Probe["tcpSocket"]>,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = target.port(look.port);
  if (port === undefined) return failed(`couldn't find port: ${look.port}`);
  const host = look.host ?? target.host;
  return await new Promise<ProbeResult>((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve({ ok: true });
    });
    socket.once("error", (error) => {
      if (signal.aborted) reject(error);
      else resolve(failed(connectionText(error, host, port)));
    });
  });
}

async function lookExec(
  command: readonly string[],
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  try {
    const result = await target.runtime.exec(target.record.id, command, { timeoutMs, signal });
    return result.exitCode === 0 ? { ok: true } : failed(result.output.trim() || `exit code ${result.exitCode}`);
  } catch (error) {
    signal.throwIfAborted();
    const late = error instanceof Error && (isAbort(error) || error.name === "TimeoutError");
    return failed(late ? `command timed out after ${timeoutMs / 1000}s` : errorMessage(error));
  }
}

/** grpc.health.v1.Health/Check: one message each way, field 1 of the answer being SERVING (1). */
async function lookGrpc(
  look: NonNullable<Probe["grpc"]>,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = target.port(look.port);
  if (port === undefined) return failed(`couldn't find port: ${look.port}`);
  const session = connectHttp2(`http://${target.host}:${port}`);
  const stop = (): void => session.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<ProbeResult>((resolve, reject) => {
      session.once("error", (error) => resolve(failed(connectionText(error, target.host, port))));
      session.once("close", () => reject(new Error("the connection was closed")));
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: "POST",
        [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
      });
      let size = 0;
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= 1024) chunks.push(chunk);
        else stream.destroy();
      });
      stream.once("error", reject);
      stream.once("end", () => resolve(grpcVerdict(Buffer.concat(chunks))));
      stream.end(grpcMessage(look.service ?? ""));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    session.destroy();
  }
}

/** A length-prefixed HealthCheckRequest{1: service}. Service names are short: one byte of length. */
function grpcMessage(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const body = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);
}

function grpcVerdict(answer: Buffer): ProbeResult {
  const serving = answer.length >= 7 && answer[5] === 0x08 && answer[6] === 1;
  return serving ? { ok: true } : failed("service unhealthy (not SERVING)");
}

function connectionText(error: unknown, host: string, port: number): string {
  const code = errorCode(error);
  const why =
    code === "ECONNREFUSED" ? "connection refused" : code === "ECONNRESET" ? "connection reset by peer" : undefined;
  return why === undefined ? errorMessage(error) : `dial tcp ${host}:${port}: connect: ${why}`;
}

function failed(message: string): ProbeResult {
  return { ok: false, message: message.slice(0, 1024) };
}
