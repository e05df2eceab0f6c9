/** A command's streams over SPDY/3.1: the client opens one stream each and names it in a header. */
import type { Duplex } from "node:stream";
import type { Clock, Log } from "#lib";
import type { TerminalSize } from "../../../ports.ts";
import { type CommandOutcome, outcomeStatus, outcomeText } from "../command-outcome.ts";
import type { CommandStreams, WantedStreams } from "../command-streams.ts";
import { StreamError } from "../errors.ts";
import { IdleWatch } from "../idle-watch.ts";
import { TerminalSizes } from "../terminal-size.ts";
import { SpdyConnection } from "./spdy-connection.ts";
import type { SpdyStream } from "./spdy-stream.ts";

/** What clients ask for with `X-Stream-Protocol-Version`, best first. Before version 4 the outcome is told in words. */
export const spdyCommandProtocols = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
] as const;

type SpdyCommandProtocol = (typeof spdyCommandProtocols)[number];

type StreamName = "error" | "stdin" | "stdout" | "stderr" | "resize";
const streamNames: readonly string[] = ["error", "stdin", "stdout", "stderr", "resize"] satisfies StreamName[];

const creationMs = 30_000;
const closingMs = 5000;

export interface SpdyCommandOptions {
  readonly transport: Duplex;
  readonly protocol: SpdyCommandProtocol;
  readonly wanted: WantedStreams;
  readonly clock: Clock;
  readonly log: Log;
}

/** Resolves when the client has opened every stream it asked for. Throws `kube/stream-protocol` when it does not. */
export async function spdyCommandStreams(options: SpdyCommandOptions): Promise<CommandStreams> {
  const { transport, clock, log } = options;
  const missing = expectedStreams(options);
  const streams = new Map<StreamName, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const idle = new IdleWatch(clock, () => transport.destroy());
  const connection = new SpdyConnection(transport, {
    clock,
    onActivity: () => idle.touch(),
    onStream(stream) {
      const name = stream.headers["streamtype"] ?? "";
      if (!streamNames.includes(name) || streams.has(name as StreamName)) {
        stream.destroy();
        return;
      }
      streams.set(name as StreamName, stream);
      missing.delete(name as StreamName);
      if (missing.size === 0) complete.resolve();
    },
  });
  const gone = connection
    .run()
    .catch((error: unknown) => log.warn("A SPDY connection broke its protocol", { error }))
    .finally(() => {
      idle[Symbol.dispose]();
      complete.reject(new StreamError("kube/stream-gone", "The client left before it opened its streams"));
    });
  using _late = clock.schedule(creationMs, () => {
    const names = [...missing].join(", ");
    complete.reject(new StreamError("kube/stream-protocol", `The client did not open its streams in time: ${names}`));
  });
  try {
    await complete.promise;
  } catch (error) {
    transport.destroy();
    throw error;
  }
  return new SpdyCommandStreams(options, connection, streams, gone);
}

function expectedStreams({ wanted, protocol }: SpdyCommandOptions): Set<StreamName> {
  const resizes = wanted.tty && (protocol === "v4.channel.k8s.io" || protocol === "v3.channel.k8s.io");
  const names: [StreamName, boolean][] = [
    ["error", true],
    ["stdin", wanted.stdin],
    ["stdout", wanted.stdout],
    ["stderr", wanted.stderr],
    ["resize", resizes],
  ];
  return new Set(names.filter(([, isWanted]) => isWanted).map(([name]) => name));
}

class SpdyCommandStreams implements CommandStreams {
  readonly stdin: SpdyStream | undefined;
  readonly stdout: SpdyStream | undefined;
  readonly stderr: SpdyStream | undefined;
  readonly gone: Promise<void>;
  readonly #streams: ReadonlyMap<StreamName, SpdyStream>;
  readonly #connection: SpdyConnection;
  readonly #options: SpdyCommandOptions;

  constructor(
    options: SpdyCommandOptions,
    connection: SpdyConnection,
    streams: ReadonlyMap<StreamName, SpdyStream>,
    gone: Promise<void>,
  ) {
    this.#options = options;
    this.#connection = connection;
    this.#streams = streams;
    this.gone = gone;
    this.stdin = streams.get("stdin");
    this.stdout = streams.get("stdout");
    this.stderr = streams.get("stderr");
    // Nothing is said by the client on these, but that it says nothing.
    for (const name of ["error", "stdout", "stderr"] as const) streams.get(name)?.resume();
  }

  onResize(listener: (size: TerminalSize) => void): void {
    const sizes = new TerminalSizes();
    this.#streams.get("resize")?.on("data", (bytes: Buffer) => {
      const size = sizes.push(bytes);
      if (size !== undefined) listener(size);
    });
  }

  async finish(outcome: CommandOutcome): Promise<void> {
    const isTyped = this.#options.protocol === "v4.channel.k8s.io";
    const text = isTyped ? JSON.stringify(outcomeStatus(outcome)) : outcomeText(outcome);
    // As slowly as the client takes it: what a command wrote last counts as much as what it wrote first.
    await Promise.all([ended(this.stdout), ended(this.stderr)]);
    // A client that does not take the end does not keep us.
    using _late = this.#options.clock.schedule(closingMs, () => this.#options.transport.destroy());
    await ended(this.#streams.get("error"), text);
    this.#connection.close();
    await this.gone;
  }

  [Symbol.dispose](): void {
    this.#options.transport.destroy();
  }
}

/** Ended, with its last frame on the way; or gone. */
async function ended(stream: SpdyStream | undefined, text = ""): Promise<void> {
  if (stream === undefined || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.end(text, resolve);
  });
}
