/**
 * The control channel of a router process.
 *
 * - `PUT /table`: 204 once active, 400 for a malformed one, 409 for one older than the table in force
 * - `GET /status`
 * - `GET /metrics`: Prometheus text
 * - `GET /drained?endpoint=<ip:port>`: 204 once no request runs on it; waits as long as the caller does
 * - `GET /watch`: a status as a JSON line now and another when draining begins; that it ends says that we died
 * - `POST /drain`: 202, then the process finishes what is under way and exits
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { errorMessage, type Log } from "#lib";
import { RouterError } from "../errors.ts";
import { maxTableBytes, readTable } from "../table/read-table.ts";
import type { RoutingTable } from "../table/routing-table.ts";
import { epochHeader, type RouterStatus } from "./control-protocol.ts";

export interface ControlFace {
  status(): RouterStatus;
  metrics(): string;
  replaceTable(epoch: string, table: RoutingTable): Promise<boolean>;
  drained(address: string, signal: AbortSignal): Promise<void>;
  drain(): void;
}

export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #face: ControlFace;
  readonly #log: Log;
  readonly #watching = new Set<ServerResponse>();

  constructor(face: ControlFace, log: Log) {
    this.#face = face;
    this.#log = log;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => this.#fail(response, error));
    });
  }

  /** Throws when another router answers on the socket; removes what a dead one left. */
  async listen(path: string): Promise<void> {
    if (await answers(path))
      throw new RouterError("router/start-failed", `Cannot start router: another one answers on "${path}"`);
    await rm(path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(path, resolve);
    await promise;
    await chmod(path, 0o600);
  }

  /** Leaves the socket's path to a successor and tells those who watch; their connections stay open until we end. */
  retire(): void {
    this.#server.close();
    for (const response of this.#watching) response.write(`${JSON.stringify(this.#face.status())}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await Promise.resolve();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://router");
    switch (`${request.method} ${url.pathname}`) {
      case "PUT /table":
        return this.#putTable(request, response);
      case "GET /status":
        return send(response, 200, `${JSON.stringify(this.#face.status())}\n`, "application/json");
      case "GET /metrics":
        return send(response, 200, this.#face.metrics(), "text/plain; version=0.0.4");
      case "GET /drained":
        return this.#drained(url.searchParams.get("endpoint") ?? "", response);
      case "GET /watch":
        return this.#watch(response);
      case "POST /drain":
        send(response, 202);
        return this.#face.drain();
      default:
        return send(response, 404);
    }
  }

  #watch(response: ServerResponse): void {
    this.#watching.add(response);
    response.once("close", () => this.#watching.delete(response));
    response.writeHead(200, { "content-type": "application/jsonl" });
    response.write(`${JSON.stringify(this.#face.status())}\n`);
  }

  async #putTable(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxTableBytes) return send(response, 413);
      parts.push(part);
    }
    const epoch = request.headers[epochHeader];
    const table = readTable(JSON.parse(Buffer.concat(parts).toString()));
    if (typeof epoch !== "string" || epoch === "") return send(response, 400, `Header "${epochHeader}" is missing\n`);
    const active = await this.#face.replaceTable(epoch, table);
    send(response, active ? 204 : 409, active ? "" : "The table in force is newer\n");
  }

  async #drained(address: string, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      await this.#face.drained(address, gone.signal);
    } catch (error) {
      if (gone.signal.aborted) return;
      throw error;
    }
    send(response, 204);
  }

  #fail(response: ServerResponse, error: unknown): void {
    const ours = error instanceof RouterError || error instanceof SyntaxError;
    if (!ours) this.#log.error("Control request failed", { error });
    if (response.headersSent) response.destroy();
    else send(response, ours ? 400 : 500, `${errorMessage(error)}\n`);
  }
}

function send(response: ServerResponse, status: number, body = "", type = "text/plain"): void {
  response.writeHead(status, body === "" ? {} : { "content-type": type });
  response.end(body);
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ path });
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const answered = await promise;
  socket.destroy();
  return answered;
}
