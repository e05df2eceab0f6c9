/** `<BlockList><Latest>id</Latest>…</BlockList>`: which blocks make the blob, in order. */
import { ArtifactsError } from "../errors.ts";
import type { ByteSource } from "../store/blobs.ts";

/** Fifty thousand ids of the longest kind fit. */
const maxBytes = 8 * 1024 * 1024;

export async function readBlockList(source: ByteSource): Promise<readonly string[]> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxBytes) throw new ArtifactsError("artifacts/too-large", `A list of blocks may have ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return parseBlockList(Buffer.concat(chunks).toString("utf8"));
}

/** The three kinds of entries name the same blocks here: none is both committed and not. */
export function parseBlockList(xml: string): readonly string[] {
  const body = /<BlockList\s*>([^]*)<\/BlockList\s*>/.exec(xml)?.[1];
  // Of an empty file there are no blocks.
  if (body === undefined && /<BlockList\s*\/>\s*$/.test(xml)) return [];
  if (body === undefined) throw new ArtifactsError("artifacts/invalid", "The list of blocks is no <BlockList>");
  const entries = [...body.matchAll(/<(Latest|Committed|Uncommitted)>([^<]{1,128})<\/\1>/g)];
  return entries.map((entry) => entry[2] ?? "");
}
