import type { Readable } from "node:stream";
import { RegistryError } from "./errors.ts";

/** The whole request body. Throws SIZE_INVALID (413) beyond the limit. */
export async function readBody(source: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read on to the end: a client that is cut off while it sends never sees the answer.
    if (size <= maxBytes) chunks.push(chunk);
    if (size > 16 * maxBytes) break;
  }
  if (size <= maxBytes) return Buffer.concat(chunks);
  throw new RegistryError("SIZE_INVALID", 413, `Cannot read the request: its body is over ${maxBytes} bytes`);
}
