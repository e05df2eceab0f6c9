import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorCode } from "#lib";
import { CliError } from "./errors.ts";

/** Whole or not at all: the file gets its name when all of it has come. */
export async function saveResponse(response: Response, file: string, signal: AbortSignal): Promise<void> {
  const part = `${file}.part`;
  try {
    const body = response.body ?? new ReadableStream<Uint8Array>();
    await pipeline(Readable.fromWeb(body), createWriteStream(part), { signal });
    await rename(part, file);
  } catch (error) {
    const reasons = {
      ENOENT: "there is no such folder",
      EACCES: "it is not allowed",
      EISDIR: "it is a folder",
    } as const;
    const code = errorCode(error);
    const known = Object.entries(reasons).find(([name]) => name === code)?.[1];
    if (known === undefined) throw error;
    throw new CliError("cli/failed", `Cannot write "${file}": ${known}`, { cause: error });
  } finally {
    await rm(part, { force: true });
  }
}
