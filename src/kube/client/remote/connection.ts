/** HTTPS to one Kubernetes API: credentials, connections that are kept, errors as `KubeError`. Knows no kinds. */
import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent, request as secureRequest } from "node:https";
import { errorMessage, isObject } from "#lib";
import { KubeError, kubeErrorOf } from "../kube-error.ts";

/** How to reach and convince a server. `headers` is asked before each request, so that a token may change. */
export interface ConnectionOptions {
  /** May have a path, behind which the API is. */
  readonly server: string;
  /** PEM; without it the machine's own authorities count. */
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Of the certificate, where it is not that of the address. */
  readonly serverName?: string;
  readonly insecure?: boolean;
  readonly headers: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  /** The credentials were refused: forget what is remembered of them. */
  readonly refused?: () => void;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal: AbortSignal;
}

/** Far above the largest list that is asked for in parts. */
const maxAnswerBytes = 256 * 1024 * 1024;
/** A server that does not begin to answer this long is not there. Watches begin at once and may then last. */
const answerMs = 60_000;

export class Connection implements Disposable {
  readonly #options: ConnectionOptions;
  readonly #base: URL;
  readonly #agent: PlainAgent;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#base = new URL(options.server);
    const { authority, certificate, key, serverName, insecure } = options;
    const keep = { keepAlive: true, maxSockets: 64 };
    this.#agent =
      this.#base.protocol === "http:"
        ? new PlainAgent(keep)
        : new Agent({
            ...keep,
            ...(authority === undefined ? {} : { ca: authority }),
            ...(certificate === undefined ? {} : { cert: certificate }),
            ...(key === undefined ? {} : { key }),
            ...(serverName === undefined ? {} : { servername: serverName }),
            ...(insecure === true ? { rejectUnauthorized: false } : {}),
          });
  }

  /** The answer's JSON. Throws `KubeError` for what the server refuses, and with reason `ServiceUnavailable` when it cannot be reached. */
  async json(request: ApiRequest): Promise<unknown> {
    const response = await this.open(request);
    const text = await readAll(response, request);
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw unreachable(request, `its answer is no JSON: ${errorMessage(error)}`, error);
    }
  }

  /** An answer that was not refused, to be read. */
  async open(request: ApiRequest): Promise<IncomingMessage> {
    const response = await this.#send(request);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    if (status === 401) this.#options.refused?.();
    throw refusalOf(status, await readAll(response, request), request);
  }

  async #send(request: ApiRequest): Promise<IncomingMessage> {
    const { method, path, body, contentType = "application/json", signal } = request;
    const headers: Record<string, string> = { accept: "application/json", ...(await this.#options.headers(signal)) };
    const payload = body === undefined ? undefined : JSON.stringify(body);
    if (payload !== undefined) {
      headers["content-type"] = contentType;
      headers["content-length"] = String(Buffer.byteLength(payload));
    }
    const url = `${this.#base.origin}${this.#base.pathname.replace(/\/$/, "")}${path}`;
    const send = this.#base.protocol === "http:" ? plainRequest : secureRequest;
    return await new Promise((resolve, reject) => {
      const sent = send(url, { method, headers, agent: this.#agent, signal, timeout: answerMs });
      sent.on("response", (response) => {
        sent.setTimeout(0);
        resolve(response);
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${answerMs / 1000} s`)));
      sent.on("error", (error) => {
        reject(signal.aborted ? (signal.reason as Error) : unreachable(request, errorMessage(error), error));
      });
      sent.end(payload);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

async function readAll(response: IncomingMessage, request: ApiRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxAnswerBytes) throw new Error(`the answer is over ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw unreachable(request, errorMessage(error), error);
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusalOf(status: number, text: string, { method, path }: ApiRequest): KubeError {
  try {
    const body = JSON.parse(text) as unknown;
    if (isObject(body) && body["kind"] === "Status") return kubeErrorOf(body, status);
  } catch {
    // A proxy in between answers in its own words.
  }
  const said = text.trim().slice(0, 200);
  return kubeErrorOf(
    { message: `${method} ${path.split("?")[0]}: HTTP ${status}${said === "" ? "" : `: ${said}`}` },
    status,
  );
}

function unreachable({ method, path }: ApiRequest, why: string, cause: unknown): KubeError {
  return new KubeError(
    "ServiceUnavailable",
    `Cannot reach the cluster for ${method} ${path.split("?")[0]}: ${why}`,
    {},
    cause,
  );
}
