/** All router processes of this installation, for the control side. They outlive it unless `stop` is called. */
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { isObject, readFileIfExists, systemIds, TaskGroup, writeFileAtomic, type Clock, type Log } from "#lib";
import { RouterError } from "../errors.ts";
import type { RouterConfig } from "../process/config.ts";
import type { RouterStatus } from "../process/control-protocol.ts";
import { defaultProxySettings, type ProxySettings } from "../proxy/settings.ts";
import type { RoutingTable } from "../table/routing-table.ts";
import { Member, type WantedTable } from "./member.ts";
import { socketPathFor } from "./socket-path.ts";

export interface RoutersOptions {
  /** State of the routers: configuration, last table, log, control socket of each. */
  readonly folder: string;
  /** How many processes share the port. */
  readonly count: number;
  /** Port 0: any free one, the same again after every restart. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The Node that runs them. */
  readonly nodePath: string;
  /** Where that Node keeps compiled code, if anywhere: a router is back in half the time. */
  readonly codeCache?: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly settings?: Partial<ProxySettings>;
  /** How long requests under way may take when a router is stopped; default 30 s. */
  readonly drainMs?: number;
  readonly signal: AbortSignal;
}

/** Disposing leaves the processes running for the next control process to adopt. */
export interface Routers extends AsyncDisposable {
  /** Where they listen. */
  readonly port: number;
  /** Resolves when every router has this table in force. Generations must grow; an older one is refused. */
  apply(table: RoutingTable, signal: AbortSignal): Promise<void>;
  /** Resolves when the endpoint (`ip:port`) is in no router's table and no request runs on it: its pod may be stopped. */
  drained(endpoint: string, signal: AbortSignal): Promise<void>;
  /** Prometheus text of each router that answers. */
  metrics(signal: AbortSignal): Promise<readonly string[]>;
  status(signal: AbortSignal): Promise<readonly RouterStatus[]>;
  /** Drains and ends the processes. */
  stop(): Promise<void>;
}

/** Adopts the routers that run already and starts the others. Throws `RouterError` when one cannot start. */
export async function startRouters(options: RoutersOptions): Promise<Routers> {
  const members: Member[] = [];
  for (let index = 0; index < options.count; index++) members.push(await createMember(options, index));
  try {
    await retireSurplus(options);
    return new Fleet(members, await connectAll(members, options), options);
  } catch (error) {
    for (const member of members) member.leave();
    throw error;
  }
}

/** @returns the port that all of them listen on */
async function connectAll(members: readonly Member[], options: RoutersOptions): Promise<number> {
  const statuses = await Promise.all(members.map((member) => member.adopt(options.listen.port, options.signal)));
  let port = statuses.find((status) => status !== undefined)?.listen.port ?? (await choosePort(options));
  for (const member of members) if (!member.connected) port = await member.start(port, options.signal);
  await writeFileAtomic(join(options.folder, portFile), `${JSON.stringify({ port })}\n`);
  return port;
}

const portFile = "port.json";

class Fleet implements Routers {
  readonly port: number;
  readonly #members: readonly Member[];
  readonly #tasks: TaskGroup;
  /** Each run of the control process counts its generations anew. */
  readonly #epoch = systemIds.uuid();
  #generation = -1;

  constructor(members: readonly Member[], port: number, { log }: RoutersOptions) {
    this.port = port;
    this.#members = members;
    this.#tasks = new TaskGroup((error) => log.error("Supervision of a router failed", { error }));
    for (const member of members) this.#tasks.start("router", (signal) => member.run(signal));
  }

  async apply(table: RoutingTable, signal: AbortSignal): Promise<void> {
    if (table.generation < this.#generation) {
      const message = `Cannot apply routing table ${table.generation}: ${this.#generation} was applied before it`;
      throw new RouterError("router/stale-table", message);
    }
    this.#generation = table.generation;
    const wanted: WantedTable = { epoch: this.#epoch, generation: table.generation, json: JSON.stringify(table) };
    for (const member of this.#members) member.want(wanted);
    const either = AbortSignal.any([signal, this.#tasks.signal]);
    await Promise.all(this.#members.map((member) => member.acknowledged(wanted, either)));
  }

  async drained(endpoint: string, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#tasks.signal]);
    await Promise.all(this.#members.map((member) => member.drained(endpoint, either)));
  }

  async metrics(signal: AbortSignal): Promise<readonly string[]> {
    return this.#ofThoseThatAnswer((member) => member.client.metrics(signal), signal);
  }

  async status(signal: AbortSignal): Promise<readonly RouterStatus[]> {
    return this.#ofThoseThatAnswer((member) => member.client.status(signal), signal);
  }

  async stop(): Promise<void> {
    const { signal } = new AbortController();
    await Promise.all(this.#members.map((member) => member.stop(signal)));
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    for (const member of this.#members) member.leave();
  }

  async #ofThoseThatAnswer<T>(ask: (member: Member) => Promise<T>, signal: AbortSignal): Promise<readonly T[]> {
    const answers = await Promise.allSettled(this.#members.map(ask));
    signal.throwIfAborted();
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  }
}

async function createMember(options: RoutersOptions, index: number): Promise<Member> {
  const { listen, nodePath, codeCache, log, clock, settings, drainMs = 30_000 } = options;
  const folder = join(options.folder, `router-${index}`);
  const config: RouterConfig = {
    folder,
    socket: await socketPathFor(folder),
    // Shared even by one: its successor can listen before it has ended.
    listen: { ...listen, reusePort: options.count > 1 || process.platform === "linux" },
    settings: { ...defaultProxySettings, ...settings },
    drainMs,
  };
  return new Member({ config, nodePath, codeCache, log: log.with({ router: index }), clock });
}

/** Routers of an earlier run with a higher count. */
async function retireSurplus(options: RoutersOptions): Promise<void> {
  const entries = await readdir(options.folder).catch(() => []);
  const surplus = entries.flatMap((name) => {
    const index = Number(/^router-(\d+)$/.exec(name)?.[1] ?? -1);
    return index >= options.count ? [index] : [];
  });
  for (const index of surplus) await (await createMember(options, index)).stop(options.signal);
}

/**
 * With a shared port the kernel would let a second installation of the same user listen beside us and take half of the
 * requests; so before the first router starts the port must be free for one that does not share.
 */
async function choosePort({ folder, listen }: RoutersOptions): Promise<number> {
  if (listen.port !== 0) {
    if (await isFree(listen.host, listen.port)) return listen.port;
    const message = `Cannot listen on "${listen.host}:${listen.port}": the port is taken: choose another one`;
    throw new RouterError("router/port-taken", message);
  }
  const stored = readPort((await readFileIfExists(join(folder, portFile))) ?? "null");
  return stored !== 0 && (await isFree(listen.host, stored)) ? stored : 0;
}

function readPort(text: string): number {
  try {
    const value: unknown = JSON.parse(text);
    const port = isObject(value) ? value["port"] : 0;
    return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
  } catch {
    return 0;
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once("error", () => resolve(false));
  server.listen({ host, port, exclusive: true }, () => resolve(true));
  const free = await promise;
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return free;
}
