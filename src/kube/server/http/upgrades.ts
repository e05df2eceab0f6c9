/** Requests that want their connection for streams: the way past Fastify, which knows no upgrades. */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { type Log, TaskGroup } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";
import { StreamError } from "../streams/errors.ts";
import { isStreamSubresource } from "../streams/stream-subresources.ts";
import { upgradeKind } from "../streams/upgrade.ts";
import type { Answer } from "./answer.ts";
import { parseRequestPath } from "./request-path.ts";
import { statusBody, toKubeError } from "./status-body.ts";

export interface UpgradeOptions {
  /** What paths of this API begin with. */
  readonly prefix: string;
  /** Authenticates, authorises and finds what was asked for. */
  answer(request: IncomingMessage, gone: AbortSignal): Promise<Answer>;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  readonly log: Log;
}

/** At once, of all clients of a server. */
const maxConnections = 1000;

/** A property that `node:http` documents as an option of its servers (`shouldUpgradeCallback`), and reads at each request. */
interface Upgrading {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/**
 * From now on the server gives up connections for streams of pods, and for nothing else: other requests that mention an
 * upgrade (curl offers HTTP/2 so) are answered as if they had not.
 *
 * @returns the streams that are open: to be disposed once `closing` has aborted, when their commands are being ended
 */
export function acceptUpgrades(server: Server, options: UpgradeOptions): TaskGroup {
  const streams = new TaskGroup((error) => options.log.error("Kubernetes API stream failed", { error }));
  (server as Upgrading).shouldUpgradeCallback = (request) => isStreamRequest(request, options.prefix);
  let open = 0;
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (open >= maxConnections) {
      const message = `${maxConnections} streams to pods are open: close some of them first`;
      return refuse(socket, new KubeError("TooManyRequests", message));
    }
    open++;
    socket.once("close", () => open--);
    return streams.start("stream", () => serve(request, socket, head, options));
  });
  return streams;
}

function isStreamRequest(request: IncomingMessage, prefix: string): boolean {
  if (upgradeKind(request) === undefined) return false;
  const path = pathOf(request);
  if (!path.startsWith(prefix)) return false;
  const parsed = parseRequestPath(path.slice(prefix.length));
  return parsed.kind === "resource" && isStreamSubresource(parsed.subresource);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

async function serve(request: IncomingMessage, socket: Socket, head: Buffer, options: UpgradeOptions): Promise<void> {
  const { closing, log } = options;
  const gone = new AbortController();
  const end = (): void => void socket.destroy();
  socket.on("error", () => {});
  socket.once("close", () => {
    gone.abort();
    closing.removeEventListener("abort", end);
  });
  closing.addEventListener("abort", end, { once: true });
  try {
    const answer = await options.answer(request, gone.signal);
    if (answer.kind !== "upgrade") throw badRequest("this resource is no stream: ask for it without Upgrade");
    await answer.serve({ request, socket, head });
  } catch (error) {
    if (gone.signal.aborted || error instanceof StreamError) {
      log.debug("A stream's client went away", { path: pathOf(request), error });
      return void socket.destroy();
    }
    const refusal = toKubeError(error);
    if (refusal.reason === "InternalError") log.error("Kubernetes API stream failed", { path: pathOf(request), error });
    refuse(socket, refusal);
  }
}

/** Nothing has been written yet: the refusal is an HTTP answer. */
function refuse(socket: Socket, refusal: KubeError): void {
  const body = JSON.stringify(statusBody(refusal));
  const head = [
    `HTTP/1.1 ${refusal.httpCode} ${refusal.reason}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
