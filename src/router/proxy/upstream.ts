/** One connection to an endpoint. It has at most one user at a time; without one it is idle in the pool. */
import { connect, type Socket } from "node:net";
import type { LiveEndpoint } from "../balance/live-table.ts";
import type { Deadlines, Timed } from "./deadlines.ts";

export interface UpstreamUser {
  /** Connected: the request may be sent. */
  onUpstreamReady(): void;
  onUpstreamData(chunk: Buffer): void;
  onUpstreamDrain(): void;
  /** Over. `clean`: the endpoint ended it in the orderly way. Called at most once, and never after `release`. */
  onUpstreamEnd(clean: boolean): void;
  /** It did not connect in time or was refused. */
  onConnectFailed(timedOut: boolean): void;
}

export class Upstream implements Timed {
  readonly socket: Socket;
  readonly endpoint: LiveEndpoint;
  readonly #deadlines: Deadlines;
  readonly #onClosed: (upstream: Upstream) => void;
  /** While connecting: the connect timeout. While idle: the idle timeout. The user's time is the user's own concern. */
  deadline: number;
  user: UpstreamUser | undefined;
  connected = false;
  /** Requests that were answered on it. */
  served = 0;
  idleSince = 0;
  #over = false;

  constructor(
    endpoint: LiveEndpoint,
    user: UpstreamUser,
    options: { deadlines: Deadlines; connectBy: number; onClosed: (upstream: Upstream) => void },
  ) {
    this.endpoint = endpoint;
    this.user = user;
    this.#deadlines = options.deadlines;
    this.#onClosed = options.onClosed;
    this.deadline = options.connectBy;
    this.socket = connect({ host: endpoint.ip, port: endpoint.port, allowHalfOpen: true, noDelay: true });
    this.#listen();
    this.#deadlines.add(this);
  }

  get usable(): boolean {
    return !this.#over && this.connected && this.socket.writable;
  }

  onDeadline(): void {
    this.#end(false, !this.connected);
  }

  destroy(): void {
    this.user = undefined;
    this.#end(false, false);
  }

  /** Leaves the socket to a tunnel; this object is finished. */
  handOver(): Socket {
    this.user = undefined;
    this.#finish();
    for (const event of ["connect", "data", "drain", "end"]) this.socket.removeAllListeners(event);
    return this.socket;
  }

  #listen(): void {
    const { socket } = this;
    socket.on("connect", () => {
      this.connected = true;
      this.deadline = Number.POSITIVE_INFINITY;
      this.user?.onUpstreamReady();
    });
    socket.on("data", (chunk: Buffer) => {
      if (this.user === undefined) this.#end(false, false);
      else this.user.onUpstreamData(chunk);
    });
    socket.on("drain", () => this.user?.onUpstreamDrain());
    socket.on("end", () => this.#end(true, false));
    socket.on("error", () => this.#end(false, false));
    socket.on("close", () => this.#end(false, false));
  }

  #end(clean: boolean, timedOut: boolean): void {
    if (this.#over) return;
    this.#finish();
    this.socket.destroy();
    const { user } = this;
    this.user = undefined;
    if (this.connected) user?.onUpstreamEnd(clean);
    else user?.onConnectFailed(timedOut);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadlines.delete(this);
    this.#onClosed(this);
  }
}
