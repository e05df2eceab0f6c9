/**
 * What the engine has of ours, in memory: read whole at the start and after the engine was away, then kept by its
 * events. The engine is what is true; this is so that looking is free.
 */
import { type EngineClient, isEngineStatus, jsonLines } from "#engine";
import { backoffDelayMs, type Channel, type Clock, isAbort, type Log } from "#lib";
import type { ContainerEvent, ContainerRecord } from "../pod-runtime.ts";
import type { EngineContainer, EngineEvent, EngineListed } from "./engine-types.ts";
import { installationLabel, recordOf } from "./labels.ts";

export interface KnownContainer {
  readonly engineId: string;
  readonly record: ContainerRecord;
  readonly tty: boolean;
  readonly hasStdin: boolean;
  readonly stopSignal: string | undefined;
}

export interface ContainerTableOptions {
  readonly engine: EngineClient;
  readonly installation: string;
  readonly events: Channel<ContainerEvent>;
  readonly clock: Clock;
  readonly log: Log;
}

const reconnect = { initialMs: 50, factor: 3, maxMs: 5000, jitter: 0 };

export class ContainerTable {
  readonly #options: ContainerTableOptions;
  readonly #known = new Map<string, KnownContainer>();

  constructor(options: ContainerTableOptions) {
    this.#options = options;
  }

  get(id: string): KnownContainer | undefined {
    return this.#known.get(id);
  }

  all(): readonly KnownContainer[] {
    return [...this.#known.values()];
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  /** Reads everything. What is gone from the engine is forgotten; containers that were made and never started are given back. */
  async load(signal: AbortSignal): Promise<readonly string[]> {
    const { engine } = this.#options;
    const filters = JSON.stringify({ label: [this.#label()] });
    const listed = await engine.json<EngineListed[]>("GET", "/containers/json", { query: { all: 1, filters }, signal });
    const rubbish: string[] = [];
    const present = new Set<string>();
    for (const { Id } of listed) {
      const id = await this.refresh(Id, signal);
      if (id === undefined) rubbish.push(Id);
      else present.add(id);
    }
    for (const [id, { record }] of this.#known) {
      if (present.has(id)) continue;
      this.#known.delete(id);
      this.#options.events.send({ podUid: record.pod.uid, containerId: id });
    }
    return rubbish;
  }

  /** Looks at one container again; its id, or undefined when it is none of a pod's that was ever started. */
  async refresh(engineId: string, signal: AbortSignal): Promise<string | undefined> {
    const { engine, events } = this.#options;
    let found: EngineContainer;
    try {
      found = await engine.json<EngineContainer>("GET", `/containers/${engineId}/json`, { signal });
    } catch (error) {
      if (isEngineStatus(error, 404)) return undefined;
      throw error;
    }
    const record = recordOf(found);
    if (record === undefined) return undefined;
    const before = this.#known.get(record.id);
    const { StopSignal, Tty, OpenStdin } = found.Config;
    const stopSignal = StopSignal === undefined || StopSignal === "" ? undefined : String(StopSignal);
    this.#known.set(record.id, {
      engineId: found.Id,
      record,
      tty: Tty === true,
      hasStdin: OpenStdin === true,
      stopSignal,
    });
    if (before?.record.state.kind !== record.state.kind)
      events.send({ podUid: record.pod.uid, containerId: record.id });
    return record.id;
  }

  /** Follows the engine until the signal aborts. An engine that went away is asked again until it is back. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#followOnce(signal, () => (failures = 0));
      } catch (error) {
        if (signal.aborted && isAbort(error)) return;
        if (failures === 0) log.warn("The container engine went away, asking again until it is back", { error });
      }
      failures++;
      await clock.sleep(backoffDelayMs(reconnect, failures - 1, 0), signal).catch(() => {});
    }
  }

  async #followOnce(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const filters = JSON.stringify({ type: ["container"], label: [this.#label()] });
    const stream = await this.#options.engine.stream("GET", "/events", { query: { filters }, signal });
    onOpen();
    // What happened before the stream was open.
    await this.load(signal);
    for await (const event of jsonLines(stream)) {
      const { Action, status, id: plainId, Actor } = event as EngineEvent;
      const [action, id] = [Action ?? status ?? "", plainId ?? Actor?.ID ?? ""];
      if (id !== "" && /^(?:start|die|died|oom|stop|destroy|remove|kill)/.test(action)) await this.refresh(id, signal);
    }
  }

  #label(): string {
    return `${installationLabel}=${this.#options.installation}`;
  }
}
