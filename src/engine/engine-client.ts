/**
 * A client of the Docker Engine API (Moby, Podman's compatible service) over its socket: requests, streams, and
 * connections that are taken over for exec and attach. Knows HTTP and the API's error body, and nothing of what runs.
 *
 * Why our own: the API is plain HTTP; dockerode brings ssh2 and gRPC along for what is not needed here.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorCode, errorMessage } from "#lib";
import { EngineError, EngineUnusable } from "./errors.ts";
import { type EngineAddress, engineText } from "./engine-address.ts";

export interface EngineRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, as a tar archive. */
  readonly archive?: Readable;
  /** Registry credentials: the value of X-Registry-Auth. Goes into no message. */
  readonly registryAuth?: string;
  readonly signal: AbortSignal;
}

/** The API versions this client was written for; the newest that both know is spoken. */
const newest = "1.51";
const oldest = "1.40";
/** Of an answer that is read whole. */
const maxAnswerBytes = 64 * 1024 * 1024;

export class EngineClient {
  readonly address: EngineAddress;
  readonly #prefix: string;

  private constructor(address: EngineAddress, version: string) {
    this.address = address;
    this.#prefix = version === "" ? "" : `/v${version}`;
  }

  /** Throws `engine/unusable` when nobody answers, or only in versions that are not known here. */
  static async connect(address: EngineAddress, signal: AbortSignal): Promise<EngineClient> {
    const plain = new EngineClient(address, "");
    const answer = await plain.json<{ ApiVersion?: string; MinAPIVersion?: string }>("GET", "/version", { signal });
    const version = agreedVersion(answer.ApiVersion ?? "", answer.MinAPIVersion ?? oldest);
    if (version !== undefined) return new EngineClient(address, version);
    throw new EngineUnusable(
      "engine/unusable",
      `Cannot use container engine "${engineText(address)}": it speaks API ${answer.MinAPIVersion} to ${answer.ApiVersion}, wanted is one from ${oldest} to ${newest}`,
    );
  }

  /** The parsed answer. Throws `EngineError` with the engine's own words for a status of 400 and above. */
  async json<T>(method: string, path: string, options: EngineRequest): Promise<T> {
    const response = await this.#answer(method, path, options);
    const text = await readAll(response);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** For requests whose answer says nothing. */
  async send(method: string, path: string, options: EngineRequest): Promise<void> {
    const response = await this.#answer(method, path, options);
    await readAll(response);
  }

  /** The answer's body as it comes; aborting the signal ends it. */
  async stream(method: string, path: string, options: EngineRequest): Promise<Readable> {
    return await this.#answer(method, path, options);
  }

  /** Takes the connection over, as exec and attach do. Both directions are the caller's from then on. */
  async hijack(path: string, options: EngineRequest): Promise<Socket> {
    const headers = { connection: "Upgrade", upgrade: "tcp" };
    const request = this.#request("POST", path, options, headers);
    return await new Promise<Socket>((resolve, reject) => {
      request.once("upgrade", (_response, socket: Socket, head: Buffer) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      request.once("response", (response) => {
        // An engine may take over without saying 101 (Docker did before 1.18, and answers 200 to this day over some proxies).
        if (response.statusCode !== undefined && response.statusCode < 300) return resolve(response.socket);
        failure("POST", path, response).then(reject, reject);
      });
      request.once("error", (error) => reject(this.#unreachable(error, options.signal)));
    });
  }

  async #answer(method: string, path: string, options: EngineRequest): Promise<IncomingMessage> {
    const request = this.#request(method, path, options, {});
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.once("error", (error) => reject(this.#unreachable(error, options.signal)));
    });
    if (options.archive !== undefined) {
      // The engine may answer, and refuse, before it has read the archive: that answer says more than the broken pipe.
      await Promise.race([pipeline(options.archive, request).catch(() => {}), answered]);
    }
    const response = await answered;
    if ((response.statusCode ?? 500) >= 400) throw await failure(method, path, response);
    return response;
  }

  #request(method: string, path: string, options: EngineRequest, extra: Record<string, string>): ClientRequest {
    const { address } = this;
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers: Record<string, string> = { host: "engine", ...extra };
    if (text !== undefined) headers["content-type"] = "application/json";
    if (text !== undefined) headers["content-length"] = String(Buffer.byteLength(text));
    if (options.archive !== undefined) headers["content-type"] = "application/x-tar";
    if (options.registryAuth !== undefined) headers["x-registry-auth"] = options.registryAuth;
    const where: RequestOptions =
      address.kind === "socket" ? { socketPath: address.path } : { host: address.host, port: address.port };
    const target = `${this.#prefix}${path}${queryText(options.query)}`;
    const request = httpRequest({ ...where, method, path: target, headers, agent: false, signal: options.signal });
    if (options.archive === undefined) request.end(text);
    return request;
  }

  #unreachable(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const why = errorCode(error) ?? errorMessage(error);
    const message = `Cannot reach the container engine at "${engineText(this.address)}": ${why}`;
    return new EngineUnusable("engine/unusable", message, { cause: error });
  }
}

/** The newest version that server and client both speak. */
export function agreedVersion(serverNewest: string, serverOldest: string): string | undefined {
  const version = compareVersions(serverNewest, newest) < 0 ? serverNewest : newest;
  if (!/^\d+\.\d+$/.test(version)) return undefined;
  return compareVersions(version, oldest) < 0 || compareVersions(version, serverOldest) < 0 ? undefined : version;
}

function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}

function queryText(query: EngineRequest["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error("The engine's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function failure(method: string, path: string, response: IncomingMessage): Promise<EngineError> {
  const text = await readAll(response).catch(() => "");
  const status = response.statusCode ?? 500;
  return new EngineError("engine/refused", engineMessage(text) ?? `${method} ${path} was answered with ${status}`, {
    details: { status },
  });
}

function engineMessage(text: string): string | undefined {
  try {
    const { message, cause } = JSON.parse(text) as { message?: unknown; cause?: unknown };
    const said = typeof message === "string" ? message : cause;
    return typeof said === "string" && said !== "" ? said.trim() : undefined;
  } catch {
    return text.trim() === "" ? undefined : text.trim().slice(0, 1024);
  }
}
