/**
 * Connections to a pod's ports over one SPDY connection. Each is a pair of streams with the same request id: `data`, and
 * `error`, on which we say what went wrong, and whose end says that the connection is over.
 */
import type { Duplex } from "node:stream";
import { type Clock, errorMessage, type Log } from "#lib";
import { IdleWatch } from "./idle-watch.ts";
import { SpdyConnection } from "./spdy/spdy-connection.ts";
import type { SpdyStream } from "./spdy/spdy-stream.ts";

export const portForwardProtocol = "portforward.k8s.io";

const pairMs = 30_000;

export interface PortForwardOptions {
  readonly transport: Duplex;
  /** For messages. */
  readonly pod: { readonly name: string; readonly uid: string };
  connect(port: number, signal: AbortSignal): Promise<Duplex>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly late: Disposable;
}

/** Until the client goes. Never throws. */
export async function servePortForward(options: PortForwardOptions): Promise<void> {
  const { transport, clock, log } = options;
  const pairs = new Map<string, Pair>();
  const closing = new AbortController();
  using idle = new IdleWatch(clock, () => transport.destroy());
  const connection = new SpdyConnection(transport, {
    clock,
    onActivity: () => idle.touch(),
    onStream: (stream) => pairUp(stream, pairs, options, closing.signal),
  });
  try {
    await connection.run();
  } catch (error) {
    log.warn("A SPDY connection broke its protocol", { error });
  } finally {
    closing.abort();
    for (const { late } of pairs.values()) late[Symbol.dispose]();
  }
}

function pairUp(stream: SpdyStream, pairs: Map<string, Pair>, options: PortForwardOptions, signal: AbortSignal): void {
  const { streamtype: type, port = "" } = stream.headers;
  const isPort = /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535;
  if (!isPort || (type !== "data" && type !== "error")) return void stream.destroy();
  const key = requestOf(stream, type);
  const pair = pairs.get(key) ?? newPair(key, pairs, options);
  if (pair[type] !== undefined) return void stream.destroy();
  pair[type] = stream;
  const { data, error } = pair;
  if (data === undefined || error === undefined) return;
  pairs.delete(key);
  pair.late[Symbol.dispose]();
  forward({ data, error, port: Number(port) }, options, signal).catch((failure: unknown) =>
    options.log.error("Forwarding a port failed", { error: failure }),
  );
}

/** Clients from before request ids opened `error` first and `data` next: the numbers tell which belong together. */
function requestOf(stream: SpdyStream, type: "data" | "error"): string {
  return stream.headers["requestid"] ?? `#${type === "error" ? stream.id : stream.id - 2}`;
}

function newPair(key: string, pairs: Map<string, Pair>, { clock }: PortForwardOptions): Pair {
  const late = clock.schedule(pairMs, () => {
    pairs.delete(key);
    pair.error?.end("timed out waiting for the second stream of the connection");
    pair.data?.destroy();
  });
  const pair: Pair = { late };
  pairs.set(key, pair);
  return pair;
}

interface Forwarded {
  readonly data: SpdyStream;
  readonly error: SpdyStream;
  readonly port: number;
}

async function forward(
  { data, error, port }: Forwarded,
  options: PortForwardOptions,
  signal: AbortSignal,
): Promise<void> {
  const { pod } = options;
  error.resume();
  let target: Duplex;
  try {
    target = await options.connect(port, signal);
  } catch (failure) {
    const message = `error forwarding port ${port} to pod ${pod.name}, uid ${pod.uid}: ${errorMessage(failure)}`;
    error.end(message);
    data.destroy();
    return;
  }
  await Promise.all([oneWay(data, target), oneWay(target, data)]);
  target.destroy();
  error.end();
}

/** One direction, with its own end: the other goes on. A failure of one side ends both. */
async function oneWay(from: Duplex, to: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const fail = (): void => {
      from.destroy();
      to.destroy();
      resolve();
    };
    from.once("error", fail);
    to.once("error", fail);
    from.once("close", () => {
      // Closed without having ended: cut off.
      if (!from.readableEnded) to.destroy();
      resolve();
    });
    to.once("close", () => {
      if (!to.writableFinished) from.destroy();
      resolve();
    });
    from.once("end", resolve);
    from.pipe(to);
  });
}
