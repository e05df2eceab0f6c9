import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Whole or not at all: the file gets its name when all of it has come. */
export async function saveResponse(response: Response, file: string, signal: AbortSignal): Promise<void> {
  const part = `${file}.part`;
  try {
    const body = response.body ?? new ReadableStream<Uint8Array>();
    await pipeline(Readable.fromWeb(body), createWriteStream(part), { signal });
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}
