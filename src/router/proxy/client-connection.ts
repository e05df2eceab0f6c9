/**
 * A client's connection: request after request, one exchange at a time. Pipelined requests wait unread or, up to a
 * limit, in memory, and are answered in their order.
 */
import type { Socket } from "node:net";
import { HeadScanner, needMore, refused } from "../http/head-scanner.ts";
import { readRequestHead } from "../http/request-head.ts";
import type { Refusal } from "../http/refusal.ts";
import type { ProxyContext } from "./context.ts";
import type { Timed } from "./deadlines.ts";
import { Exchange, type ExchangeClient } from "./exchange.ts";
import { plainAnswer } from "./plain-answer.ts";

/** What a client may send ahead before its connection is no longer read. */
const maxReadAhead = 64 * 1024;
/** How long bytes of a client are thrown away after our last answer, so that a reset does not destroy it on its way. */
const lingerMs = 2000;
/** A keep-alive connection used within this time may have a request on its way: it outlives the start of draining. */
const drainGraceMs = 1000;

export class ClientConnection implements ExchangeClient, Timed {
  deadline: number;
  readonly peer: string;
  readonly #socket: Socket;
  readonly #context: ProxyContext;
  readonly #scanner: HeadScanner;
  readonly #onClosed: () => void;
  #exchange: Exchange | undefined;
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #consuming = false;
  #closing = false;
  #over = false;
  #lastActive: number;

  constructor(socket: Socket, context: ProxyContext, onClosed: () => void) {
    this.#socket = socket;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#scanner = new HeadScanner(context.settings.head);
    this.peer = plainAddress(socket.remoteAddress ?? "");
    this.#lastActive = context.now();
    this.deadline = this.#lastActive + context.settings.idleClientTimeoutMs;
    context.deadlines.add(this);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  /** No request and no part of one. */
  get idle(): boolean {
    return this.#exchange === undefined && this.#scanner.untouched && !this.#closing;
  }

  get blocked(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(data: Buffer | string): void {
    if (this.#over) return;
    if (!this.#socket.write(data)) this.#exchange?.holdResponse();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
    if (this.#socket.writableNeedDrain) this.#exchange?.holdResponse();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#aheadBytes < maxReadAhead) this.#socket.resume();
  }

  onExchangeOver(keep: boolean): void {
    this.#exchange = undefined;
    this.#lastActive = this.#context.now();
    if (!keep) return this.#closeSoftly();
    this.deadline =
      this.#lastActive + (this.#context.draining ? drainGraceMs : this.#context.settings.idleClientTimeoutMs);
    if (!this.#consuming) this.#readAhead();
  }

  handOver(): { socket: Socket; early: Buffer | undefined } {
    const early = this.#ahead.length === 0 ? undefined : Buffer.concat(this.#ahead);
    this.#exchange = undefined;
    this.#finish();
    for (const event of ["data", "drain", "end"]) this.#socket.removeAllListeners(event);
    return { socket: this.#socket, early };
  }

  destroy(): void {
    if (this.#over) return;
    this.#finish();
    this.#socket.destroy();
    this.#exchange?.abort();
    this.#exchange = undefined;
  }

  onDeadline(): void {
    if (this.#exchange !== undefined) return;
    if (this.#closing || this.#scanner.untouched) this.destroy();
    else this.#refuse({ status: 408, reason: "the request head did not come in time" });
  }

  /** The router is about to end: answers under way are finished, everything idle goes. */
  drain(): void {
    if (this.idle) this.deadline = Math.min(this.deadline, this.#lastActive + drainGraceMs);
  }

  /** A client that ends its side is gone, as for nginx and Go: nothing says whether it still listens. */
  #onEnd(): void {
    if (this.#closing) this.#socket.destroySoon();
    else this.destroy();
  }

  #onDrain(): void {
    if (this.#exchange !== undefined) this.#exchange.onClientDrain();
    else this.#readAhead();
  }

  #onData(chunk: Buffer): void {
    if (this.#closing) return;
    try {
      if (this.#ahead.length > 0) this.#keepAhead(chunk);
      else this.#consume(chunk);
    } catch (error) {
      // A fault of ours in one connection must not end all others.
      this.#context.log.error("Client connection failed", { error });
      this.destroy();
    }
  }

  #consume(chunk: Buffer): void {
    this.#consuming = true;
    let from = 0;
    while (from < chunk.length && !this.#closing && !this.#over) {
      // Answers that the client does not take hold back its next request: pipelining must not fill our memory.
      if (this.#exchange === undefined && !this.blocked) from = this.#readHead(chunk, from);
      else if (this.#exchange?.wantsBody === true) from = this.#exchange.takeBody(chunk, from);
      else {
        this.#keepAhead(from === 0 ? chunk : chunk.subarray(from));
        break;
      }
      if (from < 0) break;
    }
    this.#consuming = false;
  }

  /** @returns the offset behind the head, or -1 when the chunk is used up */
  #readHead(chunk: Buffer, from: number): number {
    const first = this.#scanner.untouched;
    const end = this.#scanner.scan(chunk, from);
    if (end === refused) return this.#refuse(this.#scanner.refusal);
    if (end === needMore) {
      if (first) this.deadline = this.#context.now() + this.#context.settings.headTimeoutMs;
      return -1;
    }
    const head = readRequestHead(this.#scanner.head.toString("latin1", this.#scanner.start, this.#scanner.end));
    if ("reason" in head) return this.#refuse(head);
    this.deadline = Number.POSITIVE_INFINITY;
    const exchange = new Exchange(this, head, this.#context);
    this.#exchange = exchange;
    exchange.start();
    return end;
  }

  #keepAhead(chunk: Buffer): void {
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length;
    if (this.#aheadBytes >= maxReadAhead) this.#socket.pause();
  }

  #readAhead(): void {
    while (this.#ahead.length > 0 && this.#exchange === undefined && !this.#closing && !this.#over && !this.blocked) {
      const [only] = this.#ahead;
      const chunk = this.#ahead.length === 1 && only !== undefined ? only : Buffer.concat(this.#ahead);
      this.#ahead = [];
      this.#aheadBytes = 0;
      this.#consume(chunk);
    }
    if (!this.#over) this.resume();
  }

  #refuse({ status, reason }: Refusal): -1 {
    this.#context.series.of("", "", "").count(status, 0);
    this.write(plainAnswer(status, reason, { head: false, close: true }));
    this.#closeSoftly();
    return -1;
  }

  /** Sends what is written, then FIN, and reads on for a while without looking. */
  #closeSoftly(): void {
    if (this.#over) return;
    this.#closing = true;
    this.#ahead = [];
    this.#aheadBytes = 0;
    this.deadline = this.#context.now() + this.#context.settings.stallTimeoutMs;
    // Only from when the last byte is with the kernel: a slow client may take its time to get there.
    this.#socket.end(() => (this.deadline = this.#context.now() + lingerMs));
    this.#socket.resume();
  }

  #finish(): void {
    this.#over = true;
    this.#context.deadlines.delete(this);
    this.#onClosed();
  }
}

/** IPv4 clients of a dual-stack socket are named as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
