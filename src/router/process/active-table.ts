/**
 * The table in force and its copy on disk. Within an epoch (one run of the control process) generations only grow; a
 * new epoch may begin anywhere, since the control process counts anew after each start.
 */
import { join } from "node:path";
import { isObject, readFileIfExists, writeFileAtomic, type Log } from "#lib";
import { readTable } from "../table/read-table.ts";
import { emptyTable, type RoutingTable } from "../table/routing-table.ts";

export interface TableVersion {
  readonly epoch: string;
  readonly generation: number;
}

/** Whether a table of this version may replace the one in force. The same version again is accepted and changes nothing. */
export function supersedes(next: TableVersion, current: TableVersion): boolean {
  return next.epoch !== current.epoch || next.generation >= current.generation;
}

export class ActiveTable {
  readonly #file: string;
  readonly #activate: (table: RoutingTable) => void;
  readonly #log: Log;
  #version: TableVersion = { epoch: "", generation: 0 };
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string, activate: (table: RoutingTable) => void, log: Log) {
    this.#file = join(folder, "table.json");
    this.#activate = activate;
    this.#log = log;
  }

  get version(): TableVersion {
    return this.#version;
  }

  /** The last table before this process started. One that cannot be read is left out: the control process sends a new one. */
  async load(): Promise<void> {
    try {
      const text = await readFileIfExists(this.#file);
      const stored: unknown = text === undefined ? undefined : JSON.parse(text);
      if (!isObject(stored) || typeof stored["epoch"] !== "string") return this.#activate(emptyTable);
      this.#use(stored["epoch"], readTable(stored["table"]));
    } catch (error) {
      this.#log.warn("Stored routing table is unreadable", { file: this.#file, error });
    }
  }

  /**
   * Puts the table in force, then on disk. False when it is older than the one in force. A full disk does not hold
   * traffic back: the table stays in force and the next one is tried again.
   */
  async replace(epoch: string, table: RoutingTable): Promise<boolean> {
    const next = { epoch, generation: table.generation };
    if (!supersedes(next, this.#version)) return false;
    if (epoch === this.#version.epoch && table.generation === this.#version.generation) {
      await this.#writing;
      return true;
    }
    this.#use(epoch, table);
    this.#writing = this.#writing.then(() => this.#store(epoch, table));
    await this.#writing;
    return true;
  }

  #use(epoch: string, table: RoutingTable): void {
    this.#activate(table);
    this.#version = { epoch, generation: table.generation };
  }

  async #store(epoch: string, table: RoutingTable): Promise<void> {
    // Several tables may have come while one was written; only the last matters.
    if (epoch !== this.#version.epoch || table.generation !== this.#version.generation) return;
    try {
      await writeFileAtomic(this.#file, JSON.stringify({ epoch, table }), 0o600);
    } catch (error) {
      this.#log.error("Routing table could not be stored", { file: this.#file, error });
    }
  }
}
