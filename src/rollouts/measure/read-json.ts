import { MeasureError } from "../errors.ts";

const limitBytes = 8 * 1024 * 1024;

/** The body of a response as JSON, up to 8 MiB of it. */
export async function readJson(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new MeasureError(`answer is larger than ${limitBytes / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (error) {
    throw new MeasureError(`HTTP ${response.status} without a JSON answer`, error);
  }
}
