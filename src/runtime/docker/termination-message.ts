/** What an ended container left to say why, from the file behind the default path or out of its file system. */
import { open } from "node:fs/promises";
import { extract } from "tar-stream";
import { type EngineClient, isEngineStatus } from "#engine";
import { errorCode, withDeadline } from "#lib";

/** Upstream's limit. */
const maxBytes = 4096;
const patienceMs = 10_000;

export async function readMessage(
  engine: EngineClient,
  engineId: string,
  path: string,
  file: string | undefined,
): Promise<string> {
  if (file !== undefined) return await readBeginning(file);
  const signal = withDeadline(new AbortController().signal, patienceMs);
  try {
    const stream = await engine.stream("GET", `/containers/${engineId}/archive`, { query: { path }, signal });
    const archive = stream.pipe(extract());
    for await (const entry of archive) {
      if (entry.header.type !== "file") break;
      let text = Buffer.alloc(0);
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        text = Buffer.concat([text, chunk.subarray(0, maxBytes - text.length)]);
        if (text.length >= maxBytes) break;
      }
      stream.destroy();
      return text.toString("utf8");
    }
    stream.destroy();
    return "";
  } catch (error) {
    if (isEngineStatus(error, 404)) return "";
    throw error;
  }
}

async function readBeginning(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
