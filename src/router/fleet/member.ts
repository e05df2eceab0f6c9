/**
 * One router process as the control side sees it.
 *
 * - `away`: no connection. Exits: adopted or started → `connected`.
 * - `connected`: an open watch on its control socket. Exits: the watch ends (it died) → `away`, and it is started again.
 *
 * The wanted table is sent at every connection and whenever it changes; `acknowledged` is what this very process said to
 * have in force, so a restart forgets it.
 */
import { join } from "node:path";
import {
  backoffDelayMs,
  errorMessage,
  isObject,
  readFileIfExists,
  systemIds,
  Wake,
  withDeadline,
  type Clock,
  type Log,
} from "#lib";
import type { RouterConfig } from "../process/config.ts";
import { controlProtocol, identityFile, type RouterStatus } from "../process/control-protocol.ts";
import { ControlClient, type Watch } from "./control-client.ts";
import { isSame, type ProcessIdentity } from "./process-identity.ts";
import { spawnRouter } from "./spawn-router.ts";

/** A table with its text, made once for all routers. */
export interface WantedTable {
  readonly epoch: string;
  readonly generation: number;
  readonly json: string;
}

export interface MemberOptions {
  readonly config: RouterConfig;
  readonly nodePath: string;
  readonly codeCache: string | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

const answerDeadlineMs = 5000;
const startDeadlineMs = 30_000;
const restartBackoff = { initialMs: 100, factor: 2, maxMs: 10_000, jitter: 0.3 };

export class Member {
  readonly #options: MemberOptions;
  readonly #client: ControlClient;
  readonly #changed = new Wake();
  readonly #acknowledgedOrGone = new Set<() => void>();
  #watch: Watch | undefined;
  #wanted: WantedTable | undefined;
  #acknowledged: WantedTable | undefined;
  #stopping = false;
  /** Where it listens; a restart listens there again. */
  #port: number;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#client = new ControlClient(options.config.socket);
    this.#port = options.config.listen.port;
  }

  get client(): ControlClient {
    return this.#client;
  }

  get connected(): boolean {
    return this.#watch !== undefined;
  }

  /** Connects to the process that runs already. A stranger (other protocol or port) is told to go. Undefined: none is left. */
  async adopt(wantedPort: number, signal: AbortSignal): Promise<RouterStatus | undefined> {
    const watch = await this.#tryWatch(signal);
    if (watch === undefined) {
      await this.#killUnresponsive(signal);
      return undefined;
    }
    const { status } = watch;
    if (status.stopping) {
      watch[Symbol.dispose]();
      return undefined;
    }
    const fits = status.protocol === controlProtocol && (wantedPort === 0 || wantedPort === status.listen.port);
    if (!fits) {
      // Its successor need not wait for its last request: it listens no more once it says that it leaves.
      await this.#drain(watch, watch.leaving, signal);
      return undefined;
    }
    this.#options.log.info("Router adopted", { pid: status.pid, port: status.listen.port });
    this.#port = status.listen.port;
    this.#watch = watch;
    return status;
  }

  /** Starts the process. @returns the port it listens on */
  async start(port: number, signal: AbortSignal): Promise<number> {
    const { config, nodePath, codeCache, log } = this.#options;
    const listen = { ...config.listen, port };
    const options = {
      nodePath,
      codeCache,
      config: { ...config, listen },
      signal: withDeadline(signal, startDeadlineMs),
    };
    this.#port = await spawnRouter(options);
    this.#watch = await this.#client.watch(signal);
    log.info("Router started", { pid: this.#watch.status.pid, port: this.#port });
    return this.#port;
  }

  /** Keeps it running and supplied with the wanted table until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    while (!signal.aborted && !this.#stopping) {
      try {
        if (this.#watch === undefined && (await this.adopt(this.#port, signal)) === undefined)
          await this.start(this.#port, signal);
        attempt = 0;
        await this.#supply(signal);
        if (!this.#stopping) this.#options.log.warn("Router ended, starting it again", { port: this.#port });
      } catch (error) {
        signal.throwIfAborted();
        this.#options.log.error("Router could not be reached or started", { error });
        await this.#options.clock.sleep(backoffDelayMs(restartBackoff, attempt++, systemIds.random()), signal);
      }
    }
  }

  want(table: WantedTable): void {
    this.#wanted = table;
    this.#changed.notify();
  }

  /** Resolves when the process has this table, or one wanted later, in force. */
  async acknowledged(table: WantedTable, signal: AbortSignal): Promise<void> {
    const has = (): boolean => (this.#acknowledged?.generation ?? -1) >= table.generation;
    while (!has()) await this.#nextChange(signal);
  }

  /** Resolves when no request of this router runs on the endpoint. A router that died has none. */
  async drained(address: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      while (!this.connected) await this.#nextChange(signal);
      try {
        return await this.#client.drained(address, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.log.debug("Waiting for a router that ended", { error: errorMessage(error) });
        await this.#options.clock.sleep(restartBackoff.initialMs, signal);
      }
    }
  }

  /** Lets it finish what is under way, and kills it when that takes too long. It is not started again. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    const watch = this.#watch ?? (await this.#tryWatch(signal));
    if (watch !== undefined) await this.#drain(watch, watch.ended, signal);
  }

  /** Forgets the process without ending it. */
  leave(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  async #supply(signal: AbortSignal): Promise<void> {
    const watch = this.#watch;
    if (watch === undefined) return;
    this.#announce();
    const over = new AbortController();
    const inner = AbortSignal.any([signal, over.signal]);
    void watch.leaving.then(() => over.abort());
    try {
      for (;;) {
        const wanted = this.#wanted;
        if (wanted !== undefined && wanted !== this.#acknowledged) {
          await this.#client.putTable(wanted.epoch, wanted.json, inner);
          this.#acknowledged = wanted;
          this.#announce();
        } else await this.#changed.wait(inner);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!over.signal.aborted) throw error;
    } finally {
      if (!this.#stopping) watch[Symbol.dispose]();
      this.#watch = undefined;
      this.#acknowledged = undefined;
    }
  }

  #announce(): void {
    for (const resume of this.#acknowledgedOrGone) resume();
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal.reason as Error);
    this.#acknowledgedOrGone.add(resolve);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      this.#acknowledgedOrGone.delete(resolve);
      signal.removeEventListener("abort", abort);
    }
  }

  async #tryWatch(signal: AbortSignal): Promise<Watch | undefined> {
    const deadline = new AbortController();
    const timer = this.#options.clock.schedule(answerDeadlineMs, () => deadline.abort());
    try {
      const watch = await this.#client.watch(AbortSignal.any([signal, deadline.signal]));
      return watch;
    } catch {
      signal.throwIfAborted();
      return undefined;
    } finally {
      timer[Symbol.dispose]();
    }
  }

  async #drain(watch: Watch, until: Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, config, log } = this.#options;
    await this.#client.drain(signal).catch(() => {});
    const late = new AbortController();
    const timer = clock.schedule(config.drainMs + answerDeadlineMs, () => late.abort());
    const lateEnd = new Promise<void>((resolve) =>
      late.signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    await Promise.race([until, lateEnd]);
    timer[Symbol.dispose]();
    watch[Symbol.dispose]();
    if (!late.signal.aborted) return;
    log.warn("Router did not end in time and is killed", { pid: watch.status.pid });
    process.kill(watch.status.pid, "SIGKILL");
  }

  /** One that runs but does not answer holds the port and serves by an old table. */
  async #killUnresponsive(signal: AbortSignal): Promise<void> {
    const { config, log } = this.#options;
    const text = await readFileIfExists(join(config.folder, identityFile));
    const known = text === undefined ? undefined : readIdentity(text);
    if (known === undefined || !(await isSame(known))) return;
    signal.throwIfAborted();
    log.warn("Router runs but does not answer and is killed", { pid: known.pid });
    process.kill(known.pid, "SIGKILL");
    for (let wait = 0; wait < 100 && (await isSame(known)); wait++) await this.#options.clock.sleep(20, signal);
  }
}

function readIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { pid, startTime } = value;
    return typeof pid === "number" && typeof startTime === "string" ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}
