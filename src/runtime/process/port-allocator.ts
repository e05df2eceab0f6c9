/**
 * Host ports of process pods. They lie below the range from which systems take the source ports of outgoing
 * connections (Linux: 32768 and up): otherwise a connection of the router could hold a pod's port just when it restarts.
 */
import { createServer } from "node:net";
import { RuntimeError } from "../errors.ts";

export interface PortRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

export const defaultPortRange: PortRange = { from: 20_000, to: 29_999 };

export class PortAllocator {
  readonly #range: PortRange;
  readonly #taken = new Set<number>();
  #next: number;

  /** @param random in [0, 1): where to begin, so that several installations on one host rarely meet */
  constructor(range: PortRange, random: number) {
    this.#range = range;
    this.#next = range.from + Math.floor(random * (range.to - range.from + 1));
  }

  /** Marks a port as somebody's, e.g. of a pod found at start-up. */
  hold(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /** This very port, if nobody has it. */
  async takeIfFree(port: number | undefined): Promise<number | undefined> {
    if (port === undefined || port < this.#range.from || port > this.#range.to || this.#taken.has(port)) {
      return undefined;
    }
    this.#taken.add(port);
    if (await isFree(port)) return port;
    this.#taken.delete(port);
    return undefined;
  }

  /** A port nobody holds here and nobody listens on. */
  async take(): Promise<number> {
    const size = this.#range.to - this.#range.from + 1;
    for (let tries = 0; tries < size; tries++) {
      const port = this.#next;
      this.#next = port >= this.#range.to ? this.#range.from : port + 1;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    const message = `Cannot find a free port in ${this.#range.from}-${this.#range.to} for a pod: all are taken`;
    throw new RuntimeError("runtime/no-port", message);
  }
}

/** Whether a listener could be put there, on loopback and on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, "127.0.0.1")) && (await canListen(port, "0.0.0.0"));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
