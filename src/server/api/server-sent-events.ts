import type { FastifyReply } from "fastify";
import type { Clock } from "#lib";

export interface ServerSentEvent {
  readonly name: string;
  readonly data: unknown;
}

/** A comment line this often keeps proxies from closing a quiet stream, and finds out clients that left silently. */
const heartbeatMs = 15_000;

/** Aborts when the answer is out or its client left, or `signal` does. Not tied to the connection, which outlives many answers. */
export function clientSignal(reply: FastifyReply, signal: AbortSignal): AbortSignal {
  const left = new AbortController();
  reply.raw.once("close", () => left.abort());
  return AbortSignal.any([signal, left.signal]);
}

/** Sends events until they end or the client leaves; waits when the client does not read. */
export async function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<ServerSentEvent>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  raw.write(":\n\n");
  let beat: Disposable | undefined;
  const schedule = (): void => {
    beat = clock.schedule(heartbeatMs, () => {
      raw.write(":\n\n");
      schedule();
    });
  };
  schedule();
  try {
    for await (const event of events) {
      if (signal.aborted) break;
      const flowing = raw.write(`event: ${event.name}\ndata: ${JSON.stringify(event.data)}\n\n`);
      if (!flowing) await drained(raw, signal);
    }
  } catch (error) {
    // Headers are gone: a client that reads a cut stream connects again and reads the state anew.
    if (!signal.aborted) throw error;
  } finally {
    beat?.[Symbol.dispose]();
    raw.end();
  }
}

async function drained(raw: FastifyReply["raw"], signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      raw.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    raw.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
  });
}
