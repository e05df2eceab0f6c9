/** Learns of the end of children that were started past Node.js, which looks after its own ones only. */
import type { LibC } from "./libc.ts";

/** The longest time that a timer can have, 24 days. */
const longMs = 2 ** 31 - 1;

interface Waiting {
  readonly resolve: (exitCode: number) => void;
  /** This process stays until the child has ended. */
  held: boolean;
}

export class ChildReaper {
  readonly #calls: Pick<LibC, "endOf">;
  readonly #waiting = new Map<number, Waiting>();
  /** A listener for a signal does not keep the process alive; whoever waits for a child wants it to be. */
  // oxlint-disable-next-line tidegate/wall-clock -- no time is told by it
  readonly #alive = setInterval(() => {}, longMs).unref();

  constructor(calls: Pick<LibC, "endOf">) {
    this.#calls = calls;
    process.on("SIGCHLD", () => this.#reap());
  }

  /** Resolves with the child's exit code. To be called in the turn in which it was started. */
  add(pid: number): Promise<number> {
    const ended = Promise.withResolvers<number>();
    this.#waiting.set(pid, { resolve: ended.resolve, held: true });
    // Its signal may have come before anybody listened.
    this.#reapOne(pid, ended.resolve);
    this.#stayOrGo();
    return ended.promise;
  }

  /** Whether this process stays for the child's sake; as it is added, it does. */
  hold(pid: number, held: boolean): void {
    const waiting = this.#waiting.get(pid);
    if (waiting === undefined || waiting.held === held) return;
    waiting.held = held;
    this.#stayOrGo();
  }

  #stayOrGo(): void {
    if (this.#waiting.values().some(({ held }) => held)) this.#alive.ref();
    else this.#alive.unref();
  }

  /** Signals of several children come as one: all are asked. */
  #reap(): void {
    for (const [pid, { resolve }] of this.#waiting) this.#reapOne(pid, resolve);
    this.#stayOrGo();
  }

  #reapOne(pid: number, resolve: (exitCode: number) => void): void {
    const status = this.#statusOf(pid);
    if (status === undefined) return;
    this.#waiting.delete(pid);
    const signal = status & 0x7f;
    resolve(signal === 0 ? (status >> 8) & 0xff : 128 + signal);
  }

  #statusOf(pid: number): number | undefined {
    try {
      return this.#calls.endOf(pid);
    } catch {
      // Somebody else took it from us: how it ended will not be known.
      return 1 << 8;
    }
  }
}

let reaper: ChildReaper | undefined;

/** One for the process, as the signal is. */
export function childrenOf(calls: LibC): ChildReaper {
  reaper ??= new ChildReaper(calls);
  return reaper;
}
