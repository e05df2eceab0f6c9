/**
 * The streams of a container itself. It writes to its own log, so that it needs nobody to read: who attaches follows
 * the log from its present end. Its input is a named pipe in its folder, held open by a process of its own (`shim.ts`),
 * so that it lives as long as the container and not as long as the control process.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { type Clock, errorCode, readFileIfExists } from "#lib";
import type { ContainerSession, SessionOptions, TerminalSize } from "../../pod-runtime.ts";
import { markOf } from "../environment.ts";
import type { ProcessContainer } from "../process-container.ts";
import { killQuietly } from "../process-table.ts";
import { readLog } from "../read-log.ts";
import { openForWriting } from "./named-pipe.ts";
import { resizeTerminal } from "./pseudo-terminal.ts";

const resizeMs = 5000;

/** How long a container that was just started may take to open its input; one that closed it for good has none. */
const openMs = 2000;
const openEveryMs = 10;

export async function attachTo(
  container: ProcessContainer,
  options: SessionOptions,
  { searchPath, clock }: { readonly searchPath: string; readonly clock: Clock },
): Promise<ContainerSession> {
  const has = options.stdin && container.facts.stdin !== undefined;
  const input = has ? await openInput(container, clock, options.signal) : undefined;
  return new AttachSession(container, input, searchPath);
}

async function openInput(
  container: ProcessContainer,
  clock: Clock,
  signal: AbortSignal,
): Promise<Writable | undefined> {
  const until = clock.monotonicMs() + openMs;
  for (;;) {
    try {
      return openForWriting(join(container.folder, "stdin"));
    } catch (error) {
      // Nobody has it open for reading.
      if (errorCode(error) !== "ENXIO") throw error;
      if (clock.monotonicMs() > until || !container.isRunning) return undefined;
    }
    await clock.sleep(openEveryMs, signal);
  }
}

class AttachSession implements ContainerSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr = undefined;
  readonly exitCode: Promise<number>;
  readonly #container: ProcessContainer;
  readonly #searchPath: string;
  readonly #leaving = new AbortController();

  constructor(container: ProcessContainer, stdin: Writable | undefined, searchPath: string) {
    this.#container = container;
    this.#searchPath = searchPath;
    this.stdin = stdin;
    const { output } = container;
    const options = { follow: true, timestamps: false, signal: this.#leaving.signal };
    // Its end now, not when somebody begins to read.
    const log = readLog(output, options, () => !container.isRunning, output.end);
    this.stdout = Readable.from(log, { objectMode: false, highWaterMark: 64 * 1024 });
    this.exitCode = container.ended.then(() => {
      const { state } = container.record;
      return state.kind === "exited" ? state.exitCode : 0;
    });
    // Input that ends is passed on where the container was made for one reader's worth of it.
    stdin?.once("close", () => void this.#endInput());
  }

  async resize(size: TerminalSize): Promise<void> {
    const path = await readFileIfExists(join(this.#container.folder, "tty"));
    if (path === undefined || !this.#container.isRunning) return;
    await resizeTerminal(path.trim(), size, this.#searchPath, AbortSignal.timeout(resizeMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    this.stdout.destroy();
    this.stdin?.destroy();
    return Promise.resolve();
  }

  async #endInput(): Promise<void> {
    if (this.#container.facts.stdin !== "once") return;
    const holder = Number(await readFileIfExists(join(this.#container.folder, "stdin-holder")));
    if (!Number.isSafeInteger(holder) || holder <= 1) return;
    const environment = await readFile(`/proc/${holder}/environ`, "utf8").catch(() => "");
    if (process.platform !== "linux" || environment.split("\0").includes(markOf(this.#container.folder)))
      killQuietly(holder);
  }
}
