/**
 * Where events come in. Each starts its runs once, however often it is told: a push is told by whoever answers it and by
 * the ledger, at about the same time.
 */
import { acceptEvent, type AcceptOptions } from "./accept-event.ts";
import type { WorkflowEvent } from "./event.ts";
import type { RunParts } from "./parts.ts";
import type { RunDriver } from "./run-driver.ts";

/** Of the events of the last moments; those before are known by their rows. */
const remembered = 64;

export class EventDoor {
  readonly #parts: RunParts;
  readonly #driver: RunDriver;
  readonly #running = new Map<string, Promise<readonly string[]>>();
  readonly #recent = new Map<string, readonly string[]>();

  constructor(parts: RunParts, driver: RunDriver) {
    this.#parts = parts;
    this.#driver = driver;
  }

  /** Returns the ids of the event's runs when these are there and have gone as far as they go by themselves. */
  async accept(event: WorkflowEvent, options: AcceptOptions): Promise<readonly string[]> {
    for (let running = this.#running.get(event.id); running !== undefined; running = this.#running.get(event.id)) {
      // What keeps the other from it, such as a client that left, need not keep us.
      await running.catch(() => {});
      options.signal.throwIfAborted();
    }
    const recent = this.#recent.get(event.id);
    if (recent !== undefined) return recent;
    const running = this.#accept(event, options);
    this.#running.set(event.id, running);
    try {
      const runs = await running;
      this.#remember(event.id, runs);
      return runs;
    } finally {
      this.#running.delete(event.id);
    }
  }

  #remember(eventId: string, runs: readonly string[]): void {
    this.#recent.set(eventId, runs);
    const [oldest = eventId] = this.#recent.keys();
    if (this.#recent.size > remembered) this.#recent.delete(oldest);
  }

  async #accept(event: WorkflowEvent, options: AcceptOptions): Promise<readonly string[]> {
    const { runs, fresh } = await acceptEvent(this.#parts, event, options);
    if (fresh) {
      this.#parts.log.info("Event accepted", { event: event.id, repository: event.repository, runs: runs.length });
    }
    for (const run of runs) {
      this.#driver.notify(run.id);
      await this.#driver.advance(run.id);
    }
    return runs.map((run) => String(run.id));
  }
}
