/**
 * One HTTP/1.1 connection that costs the load generator little: a request at a time, answers counted and not parsed. A
 * client that is slower than the server would measure itself.
 */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface Target {
  /** With the path that the API is below. */
  readonly url: URL;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

export interface Answered {
  readonly status: number;
  readonly bytes: number;
}

export class Connection implements Disposable {
  readonly #target: Target;
  readonly #socket: Socket;
  #head: Head | undefined;
  #waiting: { resolve: (answered: Answered) => void; reject: (error: Error) => void } | undefined;
  #onChunk: ((chunk: Buffer) => void) | undefined;

  private constructor(target: Target, socket: Socket) {
    this.#target = target;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(closed()));
  }

  static async open(target: Target): Promise<Connection> {
    const { hostname: host, port, protocol } = target.url;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket =
      protocol === "https:"
        ? connectTls({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, resolve)
        : connectPlain({ host, port: Number(port) }, resolve);
    socket.once("error", reject);
    await promise;
    socket.setNoDelay(true);
    return new Connection(target, socket);
  }

  /** Resolves when the answer has come whole. */
  async request(method: string, path: string, body = ""): Promise<Answered> {
    if (this.#socket.destroyed || this.#socket.readableEnded) throw closed();
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    this.#waiting = { resolve, reject };
    this.#send(method, path, body);
    return await promise;
  }

  /** Gives what comes of a watch as it comes, until the connection is closed. */
  watch(path: string, onChunk: (chunk: Buffer) => void): void {
    this.#onChunk = onChunk;
    this.#send("GET", path, "");
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #send(method: string, path: string, body: string): void {
    const { url, authorization } = this.#target;
    const prefix = url.pathname === "/" ? "" : url.pathname;
    const length =
      body === "" ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${method} ${prefix}${path} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: ${authorization}\r\n`;
    this.#socket.write(`${head}Accept: application/json\r\nUser-Agent: bench\r\n${length}\r\n${body}`);
  }

  #take(chunk: Buffer): void {
    if (this.#onChunk !== undefined) return this.#onChunk(chunk);
    this.#head ??= { text: "", bytes: 0, ends: "" };
    const head = this.#head;
    if (head.start === undefined) {
      head.text += chunk.toString("latin1");
      const end = head.text.indexOf("\r\n\r\n");
      if (end !== -1) head.start = end + 4;
    }
    head.bytes += chunk.length;
    head.ends = (head.ends + chunk.toString("latin1", Math.max(0, chunk.length - 7))).slice(-7);
    if (head.start === undefined || !isComplete(head, head.start)) return;
    this.#head = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.text.slice(9, 12)), bytes: head.bytes - head.start });
  }
}

/** What has come of an answer: only its first piece and its end are looked at, however long it is. */
interface Head {
  text: string;
  bytes: number;
  /** The last bytes that came. */
  ends: string;
  /** Of the body, once the head is whole. */
  start?: number;
}

/** By length, or in chunks: RFC 9112, 7.1. Trailers are not sent to us. */
function isComplete(head: Head, start: number): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head.text.slice(0, start))?.[1];
  return length === undefined ? head.ends === "\r\n0\r\n\r\n" : head.bytes >= start + Number(length);
}

function closed(): Error {
  return new Error("The server closed the connection");
}
