import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { stringify } from "yaml";

/** What a handler wants sent. */
export type Answer =
  | {
      readonly kind: "body";
      readonly code: number;
      readonly body: unknown;
      readonly format?: "json" | "yaml";
      /** Instead of the format's own. */
      readonly contentType?: string;
      readonly warnings?: readonly string[];
    }
  | { readonly kind: "text"; readonly text: string; readonly contentType: string }
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
    case "stream":
      // Objects mode would hold back up to 16 events; with bytes each one goes out as it comes.
      return await reply.type(answer.contentType).send(Readable.from(answer.chunks, { objectMode: false }));
    case "body": {
      for (const warning of answer.warnings ?? []) void reply.raw.appendHeader("warning", warningHeader(warning));
      const yaml = answer.format === "yaml";
      const type = answer.contentType ?? (yaml ? "application/yaml" : "application/json");
      const text = yaml ? stringify(answer.body) : JSON.stringify(answer.body);
      return await reply.code(answer.code).header("content-type", type).send(text);
    }
  }
}

/** RFC 7234 5.5: code, agent, quoted text; only what may stand in a header. */
function warningHeader(text: string): string {
  const safe = text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1000);
  return `299 - ${JSON.stringify(safe)}`;
}
