import type { OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FastifyReply } from "fastify";
import { stringify } from "yaml";
import { errorCode, isAbort } from "#lib";
import { badRequest } from "../refusals.ts";
import type { Upgrade } from "../streams/upgrade.ts";

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
  | { readonly kind: "stream"; readonly contentType: string; readonly chunks: AsyncIterable<string | Uint8Array> };

export function ok(body: unknown, format: "json" | "yaml" = "json"): Answer {
  return { kind: "body", code: 200, body, format };
}

/** Sends the answer; resolves when Fastify has taken it. */
export async function send(reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  void reply.header("cache-control", "no-cache, private");
  switch (answer.kind) {
    case "text":
      return await reply.type(answer.contentType).send(answer.text);
    case "upgrade":
      throw badRequest("Upgrade request required");
    case "stream":
      await stream(reply, answer.contentType, answer.chunks);
      return reply;
    case "body": {
      for (const warning of answer.warnings ?? []) void reply.raw.appendHeader("warning", warningHeader(warning));
      const yaml = answer.format === "yaml";
      const type = answer.contentType ?? (yaml ? "application/yaml" : "application/json");
      const text = yaml ? stringify(answer.body) : (answer.text ?? JSON.stringify(answer.body));
      return await reply.code(answer.code).header("content-type", type).send(text);
    }
  }
}

/**
 * Sends the head at once: a client that watches something quiet would otherwise wait for its first event before it
 * knows that its request was taken. Resolves when the stream has ended or the client has gone.
 */
async function stream(
  reply: FastifyReply,
  contentType: string,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), "content-type": contentType });
  reply.raw.flushHeaders();
  try {
    // With bytes instead of objects each event goes out as it comes.
    await pipeline(Readable.from(chunks, { objectMode: false }), reply.raw);
  } catch (error) {
    // Nothing more can be said to the client than by cutting the connection, which `pipeline` has done; a client that
    // left is no error at all.
    if (errorCode(error) !== "ERR_STREAM_PREMATURE_CLOSE" && !isAbort(error)) throw error;
  }
}

/** RFC 7234 5.5: code, agent, quoted text; only what may stand in a header. */
function warningHeader(text: string): string {
  const safe = text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1000);
  return `299 - ${JSON.stringify(safe)}`;
}
