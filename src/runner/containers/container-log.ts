import { FrameReader, type EngineClient } from "#engine";

/** Of what a container said; its end says most. */
const maxLines = 2_000;
const maxBytes = 1024 * 1024;

/** The end of what the container has printed, both streams as they came. */
export async function containerLog(engine: EngineClient, id: string, signal: AbortSignal): Promise<string> {
  const query = { stdout: 1, stderr: 1, tail: maxLines };
  const stream = await engine.stream("GET", `/containers/${id}/logs`, { query, signal });
  const frames = new FrameReader();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const { bytes } of frames.push(chunk)) {
      parts.push(bytes);
      size += bytes.length;
    }
    if (size > maxBytes) break;
  }
  return Buffer.concat(parts).toString("utf8").slice(-maxBytes).trimEnd();
}
