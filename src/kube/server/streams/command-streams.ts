import type { Readable, Writable } from "node:stream";
import type { TerminalSize } from "../../ports.ts";
import type { CommandOutcome } from "./command-outcome.ts";

/** Which streams the client asked for. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client's end of a command or an attachment, whatever protocol it speaks. Disposing cuts the connection. */
export interface CommandStreams extends Disposable {
  /** Ends when the client has nothing more to say. */
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** The client's terminal has this size now. */
  onResize(listener: (size: TerminalSize) => void): void;
  /** Tells how it ended, and closes when all was sent. */
  finish(outcome: CommandOutcome): Promise<void>;
  /** Resolves when the connection is over, by whomever. */
  readonly gone: Promise<void>;
}
