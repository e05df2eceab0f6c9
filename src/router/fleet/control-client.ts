/** The control process's side of a router's control channel. */
import { request, type IncomingMessage } from "node:http";
import { RouterError } from "../errors.ts";
import { epochHeader, type RouterStatus } from "../process/control-protocol.ts";

interface Call {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** An open `GET /watch`. */
export interface Watch extends Disposable {
  readonly status: RouterStatus;
  /** Resolves when the router begins to drain or ends: another may be started. */
  readonly leaving: Promise<void>;
  /** Resolves when the router has ended. */
  readonly ended: Promise<void>;
}

export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async status(signal: AbortSignal): Promise<RouterStatus> {
    return JSON.parse(await this.#text({ method: "GET", path: "/status", signal })) as RouterStatus;
  }

  metrics(signal: AbortSignal): Promise<string> {
    return this.#text({ method: "GET", path: "/metrics", signal });
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#text({ method: "POST", path: "/drain", signal });
  }

  async drained(address: string, signal: AbortSignal): Promise<void> {
    await this.#text({ method: "GET", path: `/drained?endpoint=${encodeURIComponent(address)}`, signal });
  }

  /** Resolves once the table, or a newer one of the same epoch, is in force. */
  async putTable(epoch: string, table: string, signal: AbortSignal): Promise<void> {
    const headers = { [epochHeader]: epoch, "content-type": "application/json" };
    const response = await this.#call({ method: "PUT", path: "/table", body: table, headers, signal });
    const text = await readAll(response);
    if (response.statusCode === 204 || response.statusCode === 409) return;
    throw new RouterError("router/bad-table", `Router refused the routing table: ${text.trim()}`);
  }

  /** Throws when nobody answers. The signal is for the wait only; the watch lives on until it is disposed. */
  async watch(signal: AbortSignal): Promise<Watch> {
    const own = new AbortController();
    const abort = (): void => own.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const lines = watchLines(await this.#call({ method: "GET", path: "/watch", signal: own.signal }));
      const status = JSON.parse(await lines.first) as RouterStatus;
      return { status, leaving: lines.second, ended: lines.ended, [Symbol.dispose]: () => own.abort() };
    } catch (error) {
      throw this.#failed("it ended before its status", error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #text(call: Call): Promise<string> {
    const response = await this.#call(call);
    const text = await readAll(response);
    if ((response.statusCode ?? 500) < 300) return text;
    throw this.#failed(`${call.method} ${call.path} was answered ${response.statusCode}: ${text.trim()}`);
  }

  async #call({ method, path, body, headers, signal }: Call): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = request({ socketPath: this.#socketPath, method, path, headers, signal, agent: false });
    outgoing.once("response", resolve);
    outgoing.on("error", (error) =>
      reject(signal.aborted ? (signal.reason as Error) : this.#failed("it does not answer", error)),
    );
    outgoing.end(body);
    return promise;
  }

  #failed(found: string, cause?: unknown): RouterError {
    const message = `Cannot control router at "${this.#socketPath}": ${found}`;
    return new RouterError("router/control-failed", message, { cause });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const part of response as AsyncIterable<string>) text += part;
  return text;
}

interface WatchLines {
  readonly first: Promise<string>;
  /** Resolves at the end of the stream too. */
  readonly second: Promise<void>;
  readonly ended: Promise<void>;
}

function watchLines(response: IncomingMessage): WatchLines {
  const [first, second, ended] = [
    Promise.withResolvers<string>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (part: string) => {
    text += part;
    const end = text.indexOf("\n");
    if (end >= 0) first.resolve(text.slice(0, end));
    if (end >= 0 && text.includes("\n", end + 1)) second.resolve();
  });
  response.on("error", () => response.destroy());
  response.once("close", () => {
    first.reject(new Error("Stream ended before its first line"));
    second.resolve();
    ended.resolve();
  });
  return { first: first.promise, second: second.promise, ended: ended.promise };
}
