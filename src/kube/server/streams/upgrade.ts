/** From an HTTP request that wants to become something else to a byte stream or a WebSocket. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";
import { StreamError } from "./errors.ts";

/** A request whose connection is ours from here on. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request already. */
  readonly head: Buffer;
}

export type UpgradeKind = "websocket" | "spdy";

export function upgradeKind(request: IncomingMessage): UpgradeKind | undefined {
  const asked = (request.headers.upgrade ?? "").toLowerCase();
  if (asked === "websocket") return "websocket";
  return asked === "spdy/3.1" ? "spdy" : undefined;
}

/** One message; senders of more are cut off. Clients send pieces of some 32 KiB. */
const maxMessageBytes = 4 * 1024 * 1024;

/**
 * Throws BadRequest when the client names protocols and none of them is ours.
 *
 * @param protocols best first
 * @param bare whether a client that names none may go on
 */
export async function acceptWebSocket(
  upgrade: Upgrade,
  protocols: readonly string[],
  bare: boolean,
): Promise<{ readonly socket: WebSocket; readonly protocol: string }> {
  const { request, socket, head } = upgrade;
  const offered = listOf(request.headers["sec-websocket-protocol"]);
  const chosen = protocols.find((protocol) => offered.includes(protocol));
  if (chosen === undefined && (offered.length > 0 || !bare)) {
    throw badRequest(
      `no WebSocket protocol in common: client offers [${offered.join(" ")}], server has [${protocols.join(" ")}]`,
    );
  }
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  // Chosen here: `SPDY/3.1+portforward.k8s.io` has a slash, which ws, and the RFC, do not let into a protocol's name.
  delete request.headers["sec-websocket-protocol"];
  acceptor.on("headers", (headers) => {
    if (chosen !== undefined) headers.push(`Sec-WebSocket-Protocol: ${chosen}`);
  });
  const accepted = await new Promise<WebSocket>((resolve, reject) => {
    socket.once("close", () => reject(new StreamError("kube/stream-gone", "The client left during the handshake")));
    acceptor.handleUpgrade(request, socket, head, resolve);
  });
  return { socket: accepted, protocol: chosen ?? "" };
}

/**
 * Answers a request for SPDY/3.1 and returns the protocol of its streams. Throws Forbidden, as upstream, when none is in
 * common.
 *
 * @param protocols best first; the last serves clients that name none
 */
export function acceptSpdy<P extends string>(upgrade: Upgrade, protocols: readonly P[]): P {
  const { request, socket, head } = upgrade;
  const offered = listOf(request.headers["x-stream-protocol-version"]);
  const chosen = offered.length === 0 ? protocols.at(-1) : protocols.find((protocol) => offered.includes(protocol));
  if (chosen === undefined) {
    const message = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${protocols.join(" ")}]`;
    throw new KubeError("Forbidden", message);
  }
  const named = offered.length === 0 ? "" : `X-Stream-Protocol-Version: ${chosen}\r\n`;
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${named}\r\n`);
  if (head.length > 0) socket.unshift(head);
  return chosen;
}

/** Values of a header that may be given several times or with commas. */
function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}
