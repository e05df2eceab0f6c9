/** Holds the table in use, swaps it, and knows which removed endpoints still have requests. */
import { emptyTable, type RoutingTable } from "../table/routing-table.ts";
import { LiveTable, type LiveEndpoint } from "./live-table.ts";

export class Balancer {
  #live: LiveTable = new LiveTable(emptyTable, undefined);
  readonly #draining = new Set<LiveEndpoint>();
  #waiting: { readonly address: string; readonly resolve: () => void }[] = [];
  readonly #onRemoved: (endpoint: LiveEndpoint) => void;

  /** @param onRemoved called for each endpoint that a swap removes, to close its idle connections */
  constructor(onRemoved: (endpoint: LiveEndpoint) => void) {
    this.#onRemoved = onRemoved;
  }

  get live(): LiveTable {
    return this.#live;
  }

  /** From the next request on. Requests under way stay where they are. */
  swap(table: RoutingTable): void {
    const old = this.#live;
    this.#live = new LiveTable(table, old);
    for (const endpoint of old.endpoints) {
      if (this.#live.has(endpoint)) continue;
      endpoint.removed = true;
      if (endpoint.inFlight > 0) this.#draining.add(endpoint);
      this.#onRemoved(endpoint);
    }
    this.#settle();
  }

  enter(endpoint: LiveEndpoint): void {
    endpoint.inFlight++;
    // A retry may choose an endpoint by a table that was swapped in the same moment.
    if (endpoint.removed) this.#draining.add(endpoint);
  }

  leave(endpoint: LiveEndpoint): void {
    endpoint.inFlight--;
    if (!endpoint.removed || endpoint.inFlight > 0) return;
    this.#draining.delete(endpoint);
    this.#settle();
  }

  /** Requests still running on endpoints that are no longer in the table. */
  draining(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { address, inFlight } of this.#draining) counts[address] = (counts[address] ?? 0) + inFlight;
    return counts;
  }

  /** Resolves when no request runs on an endpoint of that address that was removed, and none in the table has it. */
  async drained(address: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isDrained(address)) return;
    await new Promise<void>((resolve, reject) => {
      const waiter = { address, resolve };
      this.#waiting.push(waiter);
      signal.addEventListener(
        "abort",
        () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiter);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  #isDrained(address: string): boolean {
    for (const endpoint of this.#draining) if (endpoint.address === address) return false;
    for (const endpoint of this.#live.endpoints) if (endpoint.address === address) return false;
    return true;
  }

  #settle(): void {
    if (this.#waiting.length === 0) return;
    const [done, waiting] = [[] as { resolve: () => void }[], [] as { address: string; resolve: () => void }[]];
    for (const waiter of this.#waiting) (this.#isDrained(waiter.address) ? done : waiting).push(waiter);
    this.#waiting = waiting;
    for (const waiter of done) waiter.resolve();
  }
}
