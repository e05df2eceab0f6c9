/**
 * One request and its answer.
 *
 * - `connecting`: an endpoint is chosen, nothing was sent. Exits: connected → `waiting`; failed → again or `over`.
 * - `waiting`: the request is on its way. Exits: final head → `relaying`; 101 → `tunnel`; failed → again or `over`.
 * - `relaying`: the client has the head of the answer; nothing can be repeated. Exits: whole or broken → `over`.
 * - `tunnel`: bytes both ways until either side closes → `over`.
 * - `over`: counted, the endpoint left, the upstream connection back in the pool or closed.
 */
import type { Socket } from "node:net";
import type { LiveEndpoint } from "../balance/live-table.ts";
import { BodyMeter } from "../http/body-meter.ts";
import { bodyMalformed, bodyNeedsMore } from "../http/chunked-body.ts";
import { isReplayable, type RequestHead } from "../http/request-head.ts";
import type { ProxyContext } from "./context.ts";
import type { Timed } from "./deadlines.ts";
import { forwardedHead } from "./forwarded-head.ts";
import { Placement } from "./placement.ts";
import { plainAnswer } from "./plain-answer.ts";
import { ResponseRelay, type ResponseSink } from "./response-relay.ts";
import { afterUpstreamFailure, describeFailure, type UpstreamFailure } from "./retry.ts";
import { joinSockets } from "./tunnel.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";

export interface ExchangeClient extends ResponseSink {
  readonly peer: string;
  /** True while what was written has not been taken. */
  readonly blocked: boolean;
  pause(): void;
  resume(): void;
  /** The answer is out. Without `keep` the connection is closed, after what was written has been sent. */
  onExchangeOver(keep: boolean): void;
  /** The answer broke off: the client must notice. */
  destroy(): void;
  /** Leaves the socket and what was read ahead. */
  handOver(): { socket: Socket; early: Buffer | undefined };
}

export class Exchange implements UpstreamUser, Timed {
  deadline = Number.POSITIVE_INFINITY;
  readonly #client: ExchangeClient;
  readonly #context: ProxyContext;
  readonly #head: RequestHead;
  readonly #headText: string;
  readonly #startedAt: number;
  readonly #placement: Placement;
  readonly #requestBody: BodyMeter;
  /** Body bytes that came before there was a connection to send them on. */
  #held: Buffer[] = [];
  #state: "connecting" | "waiting" | "relaying" | "tunnel" | "over" = "connecting";
  #upstream: Upstream | undefined;
  #relay: ResponseRelay;

  constructor(client: ExchangeClient, head: RequestHead, context: ProxyContext) {
    this.#client = client;
    this.#context = context;
    this.#head = head;
    this.#startedAt = context.now();
    this.#placement = new Placement(context);
    this.#requestBody = requestMeter(head);
    this.#relay = this.#newRelay();
    const { trustForwarded } = context.settings;
    this.#headText = forwardedHead(head, { peer: client.peer, trustForwarded, newRequestId: context.newRequestId });
  }

  get wantsBody(): boolean {
    return !this.#requestBody.done && this.#state !== "over";
  }

  start(): void {
    this.#context.deadlines.add(this);
    if (!this.#placement.route(this.#head.authority, this.#head.path))
      return this.#answer(404, "no service or ingress has this host and path");
    const endpoint = this.#placement.first();
    if (endpoint === undefined) return this.#answer(503, "no endpoint of the service is ready");
    this.#attempt(endpoint, false);
  }

  /** @returns the offset in `chunk` behind the request body, or -1 when it goes on */
  takeBody(chunk: Buffer, from: number): number {
    const end = this.#requestBody.measure(chunk, from);
    if (end === bodyMalformed) {
      this.#answer(400, "malformed chunk in the request body");
      return bodyNeedsMore;
    }
    const part = chunk.subarray(from, end >= 0 ? end : chunk.length);
    if (this.#state === "connecting") {
      this.#held.push(part);
      this.#client.pause();
    } else {
      this.#touch();
      if (this.#upstream?.socket.write(part) === false) this.#client.pause();
    }
    return end >= 0 ? end : bodyNeedsMore;
  }

  /** The client is gone. */
  abort(): void {
    // 499 is how nginx names "client closed request"; an answer that had begun counts as what it was.
    if (this.#state !== "tunnel") this.#finish(this.#relay.headSent ? this.#relay.status : 499, false);
  }

  onClientDrain(): void {
    this.#upstream?.socket.resume();
  }

  /** The client does not take what is written: the endpoint must wait. */
  holdResponse(): void {
    this.#upstream?.socket.pause();
  }

  onUpstreamReady(): void {
    this.#send();
  }

  onUpstreamDrain(): void {
    this.#touch();
    this.#client.resume();
  }

  onUpstreamData(chunk: Buffer): void {
    try {
      this.#takeResponse(chunk);
    } catch (error) {
      // A fault of ours in one exchange must not end all others.
      this.#context.log.error("Exchange failed", { error });
      this.#finish(502, undefined);
    }
  }

  onUpstreamEnd(clean: boolean): void {
    if (clean && this.#relay.endOfStream()) return this.#complete(false);
    const reused = (this.#upstream?.served ?? 0) > 0;
    if (this.#relay.started) this.#fail({ kind: "bad-response", reason: "connection ended inside the response" });
    else this.#fail({ kind: "no-response", reused });
  }

  onConnectFailed(timedOut: boolean): void {
    this.#fail({ kind: "connect", timedOut });
  }

  onDeadline(): void {
    if (this.#state === "over" || this.#state === "tunnel") return;
    if (this.#relay.headSent && this.#client.blocked) return this.#finish(this.#relay.status, undefined);
    if (this.wantsBody && !this.#relay.headSent && this.#upstream?.socket.writableNeedDrain !== true)
      return this.#answer(408, "the request body stopped coming");
    this.#fail({ kind: "timeout" });
  }

  #takeResponse(chunk: Buffer): void {
    this.#touch();
    const outcome = this.#relay.push(chunk);
    if (this.#relay.headSent && this.#state === "waiting") {
      this.#state = "relaying";
      this.#placement.succeeded();
    }
    switch (outcome) {
      case "more":
        return;
      case "done":
        return this.#complete(this.#relay.keepUpstream);
      case "done-with-excess":
        return this.#complete(false);
      case "upgraded":
        return this.#tunnel();
      case "bad":
        return this.#fail({ kind: "bad-response", reason: this.#relay.reason });
    }
  }

  #attempt(endpoint: LiveEndpoint, fresh: boolean): void {
    this.#state = "connecting";
    const options = { replayable: isReplayable(this.#head), fresh, now: this.#context.now() };
    const upstream = this.#context.pool.take(endpoint, this, options);
    this.#upstream = upstream;
    if (upstream.connected) this.#send();
  }

  /** Head and what there is of the body, in one packet where possible. */
  #send(): void {
    const socket = this.#upstream?.socket;
    if (socket === undefined) return;
    this.#state = "waiting";
    this.#touch();
    if (this.#requestBody.framing === "none") {
      socket.write(this.#headText, "latin1");
      return;
    }
    socket.cork();
    socket.write(this.#headText, "latin1");
    for (const part of this.#held) socket.write(part);
    this.#held = [];
    // On a pooled connection the first part of the body is handed over right after this call.
    process.nextTick(() => {
      socket.uncork();
      if (!socket.writableNeedDrain) this.#client.resume();
    });
  }

  /** Progress: sets the deadline for what comes next. */
  #touch(): void {
    const { responseTimeoutMs, stallTimeoutMs } = this.#context.settings;
    const answering = this.#state === "waiting" && this.#requestBody.done;
    this.deadline = this.#context.now() + (answering ? responseTimeoutMs : stallTimeoutMs);
  }

  #complete(keepUpstream: boolean): void {
    const whole = this.#requestBody.done;
    const upstream = this.#upstream;
    if (keepUpstream && whole && upstream !== undefined && !upstream.socket.writableNeedDrain) {
      upstream.socket.resume();
      this.#upstream = undefined;
      this.#context.pool.release(upstream, this.#context.now());
    }
    this.#finish(this.#relay.status, this.#relay.keepClient && whole);
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#state === "over") return;
    this.#placement.failed(failure);
    this.#upstream?.destroy();
    this.#upstream = undefined;
    if (this.#relay.headSent) return this.#finish(502, undefined);
    const { maxAttempts } = this.#context.settings;
    const request = { attempts: this.#placement.attempts, maxAttempts, replayable: isReplayable(this.#head) };
    const next = afterUpstreamFailure(failure, request);
    if (next.act === "answer") return this.#answer(next.status, describeFailure(failure));
    const endpoint = this.#placement.again(next.where);
    if (endpoint === undefined) return this.#answer(502, describeFailure(failure));
    this.#relay = this.#newRelay();
    this.#attempt(endpoint, next.where === "fresh");
  }

  #tunnel(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.#upstream = undefined;
    this.#state = "tunnel";
    this.#context.deadlines.delete(this);
    this.#placement.count(101, this.#seconds());
    const { socket, early } = this.#client.handOver();
    this.#context.tunnels.add(socket);
    joinSockets(socket, upstream.handOver(), { early, rest: this.#relay.rest }, () => {
      this.#state = "over";
      this.#context.tunnels.delete(socket);
      this.#placement.leave();
    });
  }

  /** Our own answer, unless part of another one is out already. */
  #answer(status: number, reason: string): void {
    if (this.#relay.headSent) return this.#finish(status, undefined);
    const keep = this.#mayKeepClient();
    this.#client.write(plainAnswer(status, reason, { head: this.#head.method === "HEAD", close: !keep }));
    this.#finish(status, keep);
  }

  #mayKeepClient(): boolean {
    return this.#head.keepAlive && this.#requestBody.done && !this.#context.draining;
  }

  /** @param keep whether the client's connection goes on; undefined: it is cut, because the answer broke off */
  #finish(status: number, keep: boolean | undefined): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#context.deadlines.delete(this);
    this.#placement.count(status, this.#seconds());
    this.#upstream?.destroy();
    this.#upstream = undefined;
    this.#placement.leave();
    if (keep === undefined) this.#client.destroy();
    else this.#client.onExchangeOver(keep);
  }

  #seconds(): number {
    return (this.#context.now() - this.#startedAt) / 1000;
  }

  #newRelay(): ResponseRelay {
    return new ResponseRelay(this.#head, this.#client, this.#context.settings.head, () => this.#mayKeepClient());
  }
}

function requestMeter(head: RequestHead): BodyMeter {
  if (head.bodyLength === 0) return new BodyMeter("none");
  return head.bodyLength < 0 ? new BodyMeter("chunked") : new BodyMeter("length", head.bodyLength);
}
