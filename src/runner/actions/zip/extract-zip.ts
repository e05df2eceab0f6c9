/** Unpacks an archive below a folder, and nowhere else. */
import { createWriteStream } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32, createInflateRaw } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { joinInside, zipFormat } from "#lib";
import { StepFailure } from "../../errors.ts";

const { localHeaderBytes, localSignature, maxEndBytes, readDirectory, readEnd, readEnd64 } = zipFormat;
type Directory = zipFormat.Directory;
type ZipEntry = zipFormat.ZipEntry;

const maxEntries = 1_000_000;
const maxDirectoryBytes = 256 * 1024 * 1024;

/**
 * Answers how many files there were. Modes and links are not restored, as the official actions do not. Throws
 * `StepFailure` for what is no archive, is damaged, or wants to be outside of the folder; files before that stay.
 */
export async function extractZip(path: string, folder: string, signal: AbortSignal): Promise<number> {
  await using archive = await open(path, "r");
  const { size } = await archive.stat();
  const entries = await readEntries(archive, size);
  let files = 0;
  for (const entry of entries) {
    signal.throwIfAborted();
    const target = joinInside(folder, entry.name.replaceAll("\\", "/"));
    if (target === undefined || entry.name.includes("\0"))
      throw new StepFailure(`Refused "${entry.name}" of the archive: it is outside of "${folder}"`);
    if (entry.name.endsWith("/")) await mkdir(target, { recursive: true });
    else {
      await mkdir(dirname(target), { recursive: true });
      await extractEntry(archive, entry, target, size, signal);
      files++;
    }
  }
  return files;
}

async function readEntries(archive: FileHandle, size: number): Promise<readonly ZipEntry[]> {
  const tailBytes = Math.min(size, maxEndBytes);
  const end = readEnd(await readAt(archive, size - tailBytes, tailBytes));
  let directory: Directory | undefined;
  if (end !== undefined) {
    directory = "at64" in end ? readEnd64(await readAt(archive, Math.min(end.at64, size), 56)) : end;
  }
  if (directory === undefined) throw new StepFailure("Cannot unpack the archive: it is no ZIP file, or not all of one");
  if (directory.entries > maxEntries || directory.size > maxDirectoryBytes) {
    throw new StepFailure(
      `Cannot unpack the archive: it has ${directory.entries} entries, and ${maxEntries} is the most`,
    );
  }
  const entries =
    directory.offset + directory.size > size
      ? undefined
      : readDirectory(await readAt(archive, directory.offset, directory.size), directory.entries);
  if (entries === undefined) throw new StepFailure("Cannot unpack the archive: its list of files is damaged");
  return entries;
}

async function extractEntry(
  archive: FileHandle,
  entry: ZipEntry,
  target: string,
  archiveSize: number,
  signal: AbortSignal,
): Promise<void> {
  const damaged = (): StepFailure => new StepFailure(`Cannot unpack "${entry.name}" of the archive: it is damaged`);
  if (entry.encrypted || (entry.method !== 0 && entry.method !== 8)) {
    throw new StepFailure(
      `Cannot unpack "${entry.name}" of the archive: it is encrypted, or packed by method ${entry.method}`,
    );
  }
  const header = await readAt(archive, entry.offset, localHeaderBytes);
  if (header.length < localHeaderBytes || header.readUInt32LE(0) !== localSignature) throw damaged();
  const start = entry.offset + localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + entry.compressedSize > archiveSize) throw damaged();
  let crc = 0;
  let size = 0;
  // No more comes out than the directory promised: an archive that grows without end stops here.
  const check = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      if (size > entry.size) throw damaged();
      yield chunk;
    }
  };
  const packed = readRange(archive, start, start + entry.compressedSize);
  const output = createWriteStream(target);
  if (entry.method === 0) await pipeline(packed, check, output, { signal });
  else await pipeline(packed, createInflateRaw(), check, output, { signal });
  if (size !== entry.size || crc !== entry.crc) throw damaged();
}

async function* readRange(archive: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const chunk = await readAt(archive, at, Math.min(256 * 1024, end - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
