/**
 * Pseudo-terminals without a native module: the master is `/dev/ptmx`, the other side a path that the child opens. A
 * session leader that opens it gets it as its controlling terminal (tty(4)).
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { type Clock, errorCode, errorMessage, libc, runCommand } from "#lib";
import { RuntimeError } from "../../errors.ts";
import type { TerminalSize } from "../../pod-runtime.ts";

export interface PseudoTerminal {
  readonly master: number;
  /** Our own hold of the other side: while it is open, the master does not end. */
  readonly slave: number;
  /** Path of the other side. */
  readonly path: string;
}

/** Throws `runtime/no-terminal` where this machine cannot give one. */
export async function openPseudoTerminal(): Promise<PseudoTerminal> {
  const opened: number[] = [];
  try {
    const { unlockpt, ptsname } = await libc();
    const master = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY);
    opened.push(master);
    unlockpt(master);
    const path = ptsname(master);
    const slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    return { master, slave, path };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    const message = `Cannot give a terminal on this machine: ${errorMessage(error)}; try without a terminal (leave out -t)`;
    throw new RuntimeError("runtime/no-terminal", message, { cause: error });
  }
}

/** Tells the terminal its size; the program in front gets SIGWINCH from the kernel. */
export async function resizeTerminal(
  path: string,
  size: TerminalSize,
  searchPath: string,
  signal: AbortSignal,
): Promise<void> {
  const device = process.platform === "linux" ? "-F" : "-f";
  const sizes = ["rows", String(size.rows), "cols", String(size.columns)];
  await runCommand("stty", [device, path, ...sizes], { env: { PATH: searchPath }, signal });
}

/** What is written to the terminal; ends when nobody has the other side open. Owns the master. */
export class TerminalOutput extends Readable {
  readonly #stream: ReadStream;

  constructor(master: number) {
    super({ highWaterMark: 64 * 1024 });
    this.#stream = new ReadStream(master);
    this.#stream.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) this.#stream.pause();
    });
    // EIO is how a master says that the other side is closed.
    this.#stream.on("error", () => this.push(null));
    this.#stream.on("end", () => this.push(null));
    this.#stream.on("close", () => this.push(null));
    this.#stream.pause();
  }

  get isClosed(): boolean {
    return this.#stream.destroyed;
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}

const fullRetryMs = 5;

/** What is typed. The terminal takes as much as its program lets it: the rest waits. */
export class TerminalInput extends Writable {
  readonly #master: number;
  readonly #output: TerminalOutput;
  readonly #clock: Clock;

  constructor(master: number, output: TerminalOutput, clock: Clock) {
    super();
    this.#master = master;
    this.#output = output;
    this.#clock = clock;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    let rest = chunk;
    const step = (): void => {
      // After the close the number may be another file's.
      while (rest.length > 0 && !this.#output.isClosed) {
        try {
          rest = rest.subarray(writeSync(this.#master, rest));
        } catch (error) {
          if (errorCode(error) !== "EAGAIN") return done();
          this.#clock.schedule(fullRetryMs, step);
          return;
        }
      }
      done();
    };
    step();
  }
}
