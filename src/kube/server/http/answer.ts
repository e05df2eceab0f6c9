import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply } from "fastify";
import { stringify } from "yaml";
import { errorCode, isAbort } from "#lib";
import { badRequest } from "../refusals.ts";
import type { Upgrade } from "../streams/upgrade.ts";

interface StreamAnswer {
  readonly kind: "stream";
  readonly contentType: string;
  readonly chunks: AsyncIterable<string | Uint8Array>;
  /** How long a client may leave what waits for it. */
  readonly stallMs?: number;
}

/** What a handler wants sent. */
export type Answer =
  | {
      readonly kind: "body";
      readonly code: number;
      readonly body: unknown;
      /** The body as JSON, where that is known already. */
      readonly text?: string;
      readonly format?: "json" | "yaml";
      /** Instead of the format's own. */
      readonly contentType?: string;
      readonly warnings?: readonly string[];
    }
  | { readonly kind: "text"; readonly text: string; readonly contentType: string }
  /** The connection becomes streams; resolves when they are over. */
  | { readonly kind: "upgrade"; readonly serve: (upgrade: Upgrade) => Promise<void> }
  | StreamAnswer;

export function ok(body: unknown, format: "json" | "yaml" = "json"): Answer {
  return { kind: "body", code: 200, body, format };
}

/** Sends the answer; resolves when Fastify has taken it. */
export async function send(reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  void reply.header("cache-control", "no-cache, private");
  switch (answer.kind) {
    case "text":
      void reply.type(answer.contentType);
      return await sendText(reply, answer.text);
    case "upgrade":
      throw badRequest("Upgrade request required");
    case "stream":
      await stream(reply, answer);
      return reply;
    case "body": {
      for (const warning of answer.warnings ?? []) void reply.raw.appendHeader("warning", warningHeader(warning));
      const yaml = answer.format === "yaml";
      const type = answer.contentType ?? (yaml ? "application/yaml" : "application/json");
      const text = yaml ? stringify(answer.body) : (answer.text ?? JSON.stringify(answer.body));
      void reply.code(answer.code).header("content-type", type);
      return await sendText(reply, text);
    }
  }
}

/**
 * Sends the head at once: a client that watches something quiet would otherwise wait for its first event before it
 * knows that its request was taken. Resolves when the stream has ended or the client has gone.
 */
async function stream(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
  const { contentType, chunks, stallMs = defaultStallMs } = answer;
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), "content-type": contentType });
  reply.raw.flushHeaders();
  using _guard = cutWhenStalled(reply.raw, stallMs);
  try {
    // With bytes instead of objects each event goes out as it comes.
    await pipeline(Readable.from(chunks, { objectMode: false }), reply.raw);
  } catch (error) {
    // Nothing more can be said to the client than by cutting the connection, which `pipeline` has done; a client that
    // left is no error at all.
    if (errorCode(error) !== "ERR_STREAM_PREMATURE_CLOSE" && !isAbort(error)) throw error;
  }
}

/** A client that takes nothing for this long while something waits for it is not coming back for it. */
const defaultStallMs = 30_000;

/** Without it a client that stopped reading would hold its connection, and what waits in it, until the watch ends. */
function cutWhenStalled(raw: ServerResponse, stallMs: number): Disposable {
  function look(): void {
    if (raw.writableLength > 0 || raw.writableNeedDrain) raw.destroy();
  }
  // With a listener of its own the response is not destroyed for being quiet.
  raw.on("timeout", look);
  raw.setTimeout(stallMs);
  return {
    [Symbol.dispose]() {
      raw.off("timeout", look);
      raw.setTimeout(0);
    },
  };
}

/** Upstream packs nothing smaller: it would cost more time than it saves. */
const packedFrom = 128 * 1024;
const pack = promisify(gzip);

async function sendText(reply: FastifyReply, text: string): Promise<FastifyReply> {
  const takes = /(?:^|,)\s*gzip\s*(?:,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|$)/.test(
    reply.request.headers["accept-encoding"] ?? "",
  );
  if (!takes || text.length < packedFrom) return await reply.send(text);
  const packed = await pack(text, { level: 1 });
  return await reply.header("content-encoding", "gzip").header("vary", "accept-encoding").send(packed);
}

/** RFC 7234 5.5: code, agent, quoted text; only what may stand in a header. */
function warningHeader(text: string): string {
  const safe = text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1000);
  return `299 - ${JSON.stringify(safe)}`;
}
