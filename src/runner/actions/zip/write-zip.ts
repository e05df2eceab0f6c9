/** Files to one archive. Sizes are written into the headers afterwards, so every reader understands it. */
import { createReadStream } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { createDeflateRaw, crc32 } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { zipFormat } from "#lib";

const { centralHeader, endRecords, localHeader } = zipFormat;
type ZipEntry = zipFormat.ZipEntry;

export interface ZipSource {
  /** With slashes, relative. */
  readonly name: string;
  readonly file: string;
}

/** @param level 0 stores, 1 to 9 deflate */
export async function writeZip(
  path: string,
  sources: readonly ZipSource[],
  level: number,
  signal: AbortSignal,
): Promise<void> {
  await using archive = await open(path, "w", 0o600);
  const directory: Buffer[] = [];
  let offset = 0;
  for (const source of sources) {
    const { mtime, mode } = await stat(source.file);
    const entry = await writeEntry(archive, source, { level, offset, mode, mtime, signal });
    directory.push(centralHeader(entry, mtime));
    offset += localHeader(entry, mtime).length + entry.compressedSize;
  }
  const all = Buffer.concat(directory);
  await writeAll(archive, all, offset);
  const end = endRecords({ offset, size: all.length, entries: sources.length });
  await writeAll(archive, end, offset + all.length);
}

interface EntryOptions {
  readonly level: number;
  readonly offset: number;
  readonly mode: number;
  readonly mtime: Date;
  readonly signal: AbortSignal;
}

async function writeEntry(archive: FileHandle, source: ZipSource, options: EntryOptions): Promise<ZipEntry> {
  const { level, offset, mode, mtime, signal } = options;
  const blank = { name: source.name, method: level === 0 ? 0 : 8, crc: 0, compressedSize: 0, size: 0, offset };
  const start = offset + localHeader(blank, mtime).length;
  let crc = 0;
  let size = 0;
  let position = start;
  const count = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
  };
  const store = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      await writeAll(archive, chunk, position);
      position += chunk.length;
    }
  };
  const input = createReadStream(source.file, { highWaterMark: 256 * 1024 });
  if (level === 0) await pipeline(input, count, store, { signal });
  else await pipeline(input, count, createDeflateRaw({ level }), store, { signal });
  const entry = { ...blank, crc, size, compressedSize: position - start };
  await writeAll(archive, localHeader(entry, mtime), offset);
  return { ...entry, mode, encrypted: false };
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
