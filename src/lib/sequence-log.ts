/**
 * An append-only log in a table, read by position: the owner commits rows with growing `sequence` and calls `notify`;
 * each consumer keeps its own position in its own tables and asks for what comes after it. So nothing is lost while a
 * consumer, or the whole process, is down, and nothing is polled while it is up.
 */
import { Wake } from "./wake.ts";

export interface Sequenced {
  /** Grows with every row; may have gaps. */
  readonly sequence: number;
}

export class SequenceLog<Row extends Sequenced> {
  readonly #read: (sequence: number, limit: number) => Promise<readonly Row[]>;
  readonly #wakes = new Set<Wake>();

  /** @param read the rows with a greater sequence, in order, at most `limit` */
  constructor(read: (sequence: number, limit: number) => Promise<readonly Row[]>) {
    this.#read = read;
  }

  /** The committed rows after `sequence`, in order. */
  after(sequence: number, limit = 100): Promise<readonly Row[]> {
    return this.#read(sequence, limit);
  }

  /** Called by the owner after the commit that made rows visible. */
  notify(): void {
    for (const wake of this.#wakes) wake.notify();
  }

  /** A wake of the caller's own (one shared by several consumers would lose edges). Dispose it to leave. */
  subscribe(): { readonly wake: Wake } & Disposable {
    const wake = new Wake();
    this.#wakes.add(wake);
    return { wake, [Symbol.dispose]: () => this.#wakes.delete(wake) };
  }

  /** Every row after `sequence`, as it comes, until the signal aborts, which ends the iteration normally. */
  async *follow(sequence: number, signal: AbortSignal): AsyncGenerator<Row, void, undefined> {
    using subscription = this.subscribe();
    let position = sequence;
    while (!signal.aborted) {
      const rows = await this.after(position);
      for (const row of rows) {
        if (signal.aborted) return;
        yield row;
        position = row.sequence;
      }
      if (rows.length > 0) continue;
      try {
        await subscription.wake.wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }
}
