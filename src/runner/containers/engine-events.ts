/** What the engine tells of the containers of one job, as it happens. */
import type { EngineClient } from "#engine";
import { jsonLines } from "#engine";
import { isObject, Wake, type TaskGroup } from "#lib";

export interface EngineEvent {
  readonly action: string;
  readonly container: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export class EngineEvents {
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  /** Listens from now on; ends with the tasks. */
  static async open(engine: EngineClient, label: string, tasks: TaskGroup): Promise<EngineEvents> {
    const events = new EngineEvents();
    const filters = JSON.stringify({ type: ["container"], label: [label] });
    const stream = await engine.stream("GET", "/events", { query: { filters }, signal: tasks.signal });
    tasks.start("events of the container engine", async (signal) => {
      try {
        for await (const line of jsonLines(stream)) events.#tell(line);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    });
    return events;
  }

  #tell(line: Record<string, unknown>): void {
    const actor = isObject(line["Actor"]) ? line["Actor"] : {};
    const { ID: container } = actor;
    const attributes = isObject(actor["Attributes"]) ? (actor["Attributes"] as Record<string, string>) : {};
    // Podman has the older name.
    const action = line["Action"] ?? line["status"];
    if (typeof action !== "string" || typeof container !== "string") return;
    for (const listener of this.#listeners) listener({ action, container, attributes });
  }

  on(listener: (event: EngineEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Notified at whatever happens to the container. */
  wakeOf(container: string): Disposable & { readonly wake: Wake } {
    const wake = new Wake();
    const listening = this.on((event) => {
      if (event.container === container) wake.notify();
    });
    return { wake, [Symbol.dispose]: () => listening[Symbol.dispose]() };
  }
}
