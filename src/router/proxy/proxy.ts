/** The data plane: listens, and puts the parts together. Knows nothing of files, control sockets or signals. */
import { createServer, type Server, type Socket } from "node:net";
import { systemIds, type Log } from "#lib";
import { Balancer } from "../balance/balancer.ts";
import { expose } from "../metrics/exposition.ts";
import { SeriesStore } from "../metrics/series.ts";
import type { RoutingTable } from "../table/routing-table.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ProxyContext } from "./context.ts";
import { Deadlines } from "./deadlines.ts";
import { HealthTests } from "./health-tests.ts";
import type { ProxySettings } from "./settings.ts";
import { UpstreamPool } from "./upstream-pool.ts";

const sweepMs = 100;
/** Revisions of one service whose counters are kept. */
const keptRevisions = 50;

export class Proxy implements AsyncDisposable {
  readonly #context: ProxyContext;
  readonly #server: Server;
  readonly #clients = new Set<ClientConnection>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #startedAtSeconds = Temporal.Now.instant().epochMilliseconds / 1000;
  #onIdle: (() => void) | undefined;

  constructor(settings: ProxySettings, log: Log) {
    const deadlines = new Deadlines();
    const pool = new UpstreamPool(settings, deadlines);
    this.#context = {
      settings,
      deadlines,
      pool,
      log,
      balancer: new Balancer((endpoint) => pool.closeIdle(endpoint)),
      series: new SeriesStore(),
      newRequestId: requestIds(),
      now: () => performance.now(),
      draining: false,
      tunnels: new Set(),
    };
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = settings.maxConnections;
    const tests = new HealthTests(this.#context);
    this.#sweeper = setInterval(() => {
      const now = this.#context.now();
      deadlines.sweep(now);
      tests.sweep(now);
      this.#checkIdle();
    }, sweepMs);
  }

  get generation(): number {
    return this.#context.balancer.live.table.generation;
  }

  /** @returns the port listened on */
  async listen(listen: { readonly host: string; readonly port: number; readonly reusePort: boolean }): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ ...listen, backlog: 4096 }, resolve);
    await promise;
    this.#server.off("error", reject);
    this.#server.on("error", (error) => this.#context.log.error("Listening socket failed", { error }));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : listen.port;
  }

  /** From the next request on; those under way are not touched. */
  swap(table: RoutingTable): void {
    this.#context.balancer.swap(table);
    this.#context.series.prune(keptRevisions);
  }

  /** Requests that still run on removed endpoints, by address. */
  draining(): Record<string, number> {
    return this.#context.balancer.draining();
  }

  drained(address: string, signal: AbortSignal): Promise<void> {
    return this.#context.balancer.drained(address, signal);
  }

  metrics(): string {
    const { pool, tunnels, series } = this.#context;
    return expose(series.all(), {
      clientConnections: this.#clients.size + tunnels.size,
      upstreamActive: pool.active,
      upstreamIdle: pool.idle,
      tunnels: tunnels.size,
      tableGeneration: this.generation,
      startedAtSeconds: this.#startedAtSeconds,
    });
  }

  /** Accepts no more connections, answers what is under way with `Connection: close`, and cuts the rest at the deadline. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#context.draining = true;
    this.#server.close();
    for (const client of this.#clients) client.drain();
    if (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#checkIdle();
      await promise;
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.draining = true;
    clearInterval(this.#sweeper);
    this.#server.close();
    for (const client of this.#clients) client.destroy();
    for (const socket of this.#context.tunnels) socket.destroy();
    this.#context.pool.closeAll();
    await Promise.resolve();
  }

  #accept(socket: Socket): void {
    const client: ClientConnection = new ClientConnection(socket, this.#context, () => this.#clients.delete(client));
    this.#clients.add(client);
    if (this.#context.draining) client.drain();
  }

  #checkIdle(): void {
    if (this.#onIdle !== undefined && this.#clients.size === 0 && this.#context.tunnels.size === 0) this.#onIdle();
  }
}

/** Unique among processes by a random part, among requests by a count. */
function requestIds(): () => string {
  const prefix = systemIds.suffix(12);
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
