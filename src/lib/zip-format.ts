/** Records of a ZIP file (APPNOTE 6.3.10), those that archives of artifacts and logs need. Pure. */

export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its local header is. */
  readonly offset: number;
  /** Unix permissions and type; 0 when whoever packed it did not say. */
  readonly mode: number;
  readonly encrypted: boolean;
  /** Its sizes stand behind it, as they were not known before: only where it is written. */
  readonly streamed?: boolean;
}

export const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const descriptorSignature = 0x08074b50;

export const localHeaderBytes = 30;
/** The end record with the longest comment. */
export const maxEndBytes = 22 + 65_535 + 20;
const max32 = 0xffff_ffff;
const max16 = 0xffff;
/** UTF-8 names. */
const utf8Flag = 0x0800;
/** Sizes and checksum are in a descriptor behind the content. */
const streamedFlag = 0x0008;
/** 4.5: ZIP64. */
const version = 45;

/** With room for 64-bit sizes always, so that it can be written again in place when they are known. */
export function localHeader(entry: Omit<ZipEntry, "mode" | "encrypted">, time: Date): Buffer {
  const name = Buffer.from(entry.name, "utf8");
  const header = Buffer.alloc(localHeaderBytes + name.length + 20);
  header.writeUInt32LE(localSignature, 0);
  writeShared(header, 4, entry, time);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(20, 28);
  name.copy(header, localHeaderBytes);
  const extra = localHeaderBytes + name.length;
  header.writeUInt16LE(1, extra);
  header.writeUInt16LE(16, extra + 2);
  header.writeBigUInt64LE(BigInt(entry.size), extra + 4);
  header.writeBigUInt64LE(BigInt(entry.compressedSize), extra + 12);
  return header;
}

export function centralHeader(entry: ZipEntry, time: Date): Buffer {
  const name = Buffer.from(entry.name, "utf8");
  const header = Buffer.alloc(46 + name.length + 28);
  header.writeUInt32LE(centralSignature, 0);
  header.writeUInt16LE((3 << 8) | version, 4);
  writeShared(header, 6, entry, time);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(28, 30);
  header.writeUInt32LE((entry.mode << 16) >>> 0, 38);
  header.writeUInt32LE(max32, 42);
  name.copy(header, 46);
  const extra = 46 + name.length;
  header.writeUInt16LE(1, extra);
  header.writeUInt16LE(24, extra + 2);
  header.writeBigUInt64LE(BigInt(entry.size), extra + 4);
  header.writeBigUInt64LE(BigInt(entry.compressedSize), extra + 12);
  header.writeBigUInt64LE(BigInt(entry.offset), extra + 20);
  return header;
}

/** What both headers say, from the version to the sizes, which are in the extra field. */
function writeShared(
  header: Buffer,
  at: number,
  entry: Pick<ZipEntry, "method" | "crc" | "streamed">,
  time: Date,
): void {
  header.writeUInt16LE(version, at);
  header.writeUInt16LE(flagsOf(entry), at + 2);
  header.writeUInt16LE(entry.method, at + 4);
  header.writeUInt32LE(dosTime(time), at + 6);
  header.writeUInt32LE(entry.crc, at + 10);
  header.writeUInt32LE(max32, at + 14);
  header.writeUInt32LE(max32, at + 18);
}

/** 4.3.9: with 64-bit sizes, as the local header has the field for them. */
export function descriptor({ crc, compressedSize, size }: Pick<ZipEntry, "crc" | "compressedSize" | "size">): Buffer {
  const record = Buffer.alloc(24);
  record.writeUInt32LE(descriptorSignature, 0);
  record.writeUInt32LE(crc, 4);
  record.writeBigUInt64LE(BigInt(compressedSize), 8);
  record.writeBigUInt64LE(BigInt(size), 16);
  return record;
}

function flagsOf({ streamed = false }: Pick<ZipEntry, "streamed">): number {
  return streamed ? utf8Flag | streamedFlag : utf8Flag;
}

export interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly entries: number;
}

export function endRecords({ offset, size, entries }: Directory): Buffer {
  const records = Buffer.alloc(56 + 20 + 22);
  records.writeUInt32LE(end64Signature, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeUInt16LE((3 << 8) | version, 12);
  records.writeUInt16LE(version, 14);
  records.writeBigUInt64LE(BigInt(entries), 24);
  records.writeBigUInt64LE(BigInt(entries), 32);
  records.writeBigUInt64LE(BigInt(size), 40);
  records.writeBigUInt64LE(BigInt(offset), 48);
  records.writeUInt32LE(locator64Signature, 56);
  records.writeBigUInt64LE(BigInt(offset + size), 64);
  records.writeUInt32LE(1, 72);
  records.writeUInt32LE(endSignature, 76);
  records.writeUInt16LE(Math.min(entries, max16), 84);
  records.writeUInt16LE(Math.min(entries, max16), 86);
  records.writeUInt32LE(Math.min(size, max32), 88);
  records.writeUInt32LE(Math.min(offset, max32), 92);
  return records;
}

/** Where the end of the file says that the directory is; `at64` when another record has to be read for it. */
export function readEnd(tail: Buffer): Directory | { readonly at64: number } | undefined {
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    const before = at - 20;
    if (before >= 0 && tail.readUInt32LE(before) === locator64Signature) {
      return { at64: Number(tail.readBigUInt64LE(before + 8)) };
    }
    return {
      entries: tail.readUInt16LE(at + 10),
      size: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    };
  }
  return undefined;
}

/** The ZIP64 end record, 56 bytes. */
export function readEnd64(record: Buffer): Directory | undefined {
  if (record.length < 56 || record.readUInt32LE(0) !== end64Signature) return undefined;
  return {
    entries: Number(record.readBigUInt64LE(32)),
    size: Number(record.readBigUInt64LE(40)),
    offset: Number(record.readBigUInt64LE(48)),
  };
}

/** Undefined when the directory is not one, or ends too early. */
export function readDirectory(bytes: Buffer, count: number): readonly ZipEntry[] | undefined {
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== centralSignature) return undefined;
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const end = at + 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
    if (end > bytes.length) return undefined;
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const sizes = readSizes(bytes, at, extra);
    if (sizes === undefined) return undefined;
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      mode: bytes.readUInt16LE(at + 4) >> 8 === 3 ? bytes.readUInt32LE(at + 38) >>> 16 : 0,
      encrypted: (bytes.readUInt16LE(at + 8) & 1) === 1,
      ...sizes,
    });
    at = end;
  }
  return entries;
}

type Sizes = Pick<ZipEntry, "size" | "compressedSize" | "offset">;

/** APPNOTE 4.5.3: only the fields that do not fit are in the extra one, in this order. */
function readSizes(bytes: Buffer, at: number, extra: Buffer): Sizes | undefined {
  const narrow = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)];
  const wide = wideNumbers(extra);
  const values = narrow.map((value) => (value === max32 ? wide.shift() : value));
  const [size, compressedSize, offset] = values;
  if (size === undefined || compressedSize === undefined || offset === undefined) return undefined;
  if (!values.every((value) => Number.isSafeInteger(value))) return undefined;
  return { size, compressedSize, offset };
}

function wideNumbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      const field = extra.subarray(at + 4, at + 4 + length);
      return Array.from({ length: Math.floor(field.length / 8) }, (_, index) =>
        Number(field.readBigUInt64LE(index * 8)),
      );
    }
    at += 4 + length;
  }
  return [];
}

/** Two seconds is as exact as it gets, from 1980 on. */
function dosTime(time: Date): number {
  const year = Math.min(Math.max(time.getFullYear(), 1980), 2107);
  const date = ((year - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  const clock = (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1);
  return ((date << 16) | clock) >>> 0;
}
