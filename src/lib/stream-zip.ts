/** An archive made while it is sent: nothing of it is kept, so its parts may be of any size. */
import { pipeline, Readable } from "node:stream";
import { createDeflateRaw, crc32 } from "node:zlib";
import { centralHeader, descriptor, endRecords, localHeader, type ZipEntry } from "./zip-format.ts";

export interface ZipPart {
  /** With slashes, relative. */
  readonly name: string;
  readonly time: Date;
  readonly content: AsyncIterable<string>;
}

/** Unix: a plain file that its owner may write and all may read. */
const plainFile = 0o100644;

/** Parts are read one after the other, each when it is asked for. What reading one throws ends the archive. */
export async function* streamZip(parts: Iterable<ZipPart> | AsyncIterable<ZipPart>): AsyncGenerator<Buffer> {
  const directory: Buffer[] = [];
  let offset = 0;
  for await (const { name, time, content } of parts) {
    const blank = { name, method: 8, crc: 0, compressedSize: 0, size: 0, offset, streamed: true };
    const header = localHeader(blank, time);
    yield header;
    const counted = { crc: 0, size: 0, compressedSize: 0 };
    for await (const chunk of deflated(content, counted)) {
      counted.compressedSize += chunk.length;
      yield chunk;
    }
    const entry: ZipEntry = { ...blank, ...counted, mode: plainFile, encrypted: false };
    const end = descriptor(entry);
    yield end;
    directory.push(centralHeader(entry, time));
    offset += header.length + entry.compressedSize + end.length;
  }
  const all = Buffer.concat(directory);
  yield all;
  yield endRecords({ offset, size: all.length, entries: directory.length });
}

/** Small texts are put together first: a log is of many short lines. */
const blockLength = 64 * 1024;

function deflated(content: AsyncIterable<string>, counted: { crc: number; size: number }): AsyncIterable<Buffer> {
  async function* blocks(): AsyncGenerator<Buffer> {
    let text = "";
    for await (const piece of content) {
      text += piece;
      if (text.length < blockLength) continue;
      yield count(text);
      text = "";
    }
    if (text !== "") yield count(text);
  }
  function count(text: string): Buffer {
    const bytes = Buffer.from(text, "utf8");
    counted.crc = crc32(bytes, counted.crc);
    counted.size += bytes.length;
    return bytes;
  }
  // An error of either end ends the other, and whoever reads gets it.
  return pipeline(Readable.from(blocks(), { objectMode: false }), createDeflateRaw(), () => {});
}
