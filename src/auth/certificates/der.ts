/**
 * Writes DER (ITU-T X.690), as much as certificates need. Nothing here reads it: what comes from outside is parsed by
 * Node's OpenSSL.
 */

function tagged(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
}

/** 8.1.3: below 128 in one byte, otherwise the number of bytes that follow, and these. */
function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(0x30, ...items);
}

export function set(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(0x31, ...items);
}

/** A whole number of any size, not negative, most significant byte first. */
export function integer(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  // 8.3: a leading bit would make it negative.
  const sign = (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array();
  return tagged(0x02, sign, digits);
}

/** `1.2.840.10045.4.3.2`: the first two numbers in one byte, the others in groups of seven bits. */
export function objectId(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = rest.flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return tagged(0x06, Uint8Array.of(first * 40 + second, ...bytes));
}

export function boolean(value: boolean): Uint8Array {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function octets(bytes: Uint8Array): Uint8Array {
  return tagged(0x04, bytes);
}

/** The last `unused` bits of the last byte do not count. */
export function bits(bytes: Uint8Array, unused = 0): Uint8Array {
  return tagged(0x03, Uint8Array.of(unused), bytes);
}

export function utf8(text: string): Uint8Array {
  return tagged(0x0c, Buffer.from(text, "utf8"));
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049, four from then on. */
export function time(instant: Temporal.Instant): Uint8Array {
  const digits = instant.toString({ smallestUnit: "second" }).replaceAll(/[-:T]/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), "latin1"))
    : tagged(0x18, Buffer.from(digits, "latin1"));
}

/** Context-specific: around a whole element (`constructed`), or around bare content. */
export function context(number: number, content: Uint8Array, constructed: boolean): Uint8Array {
  return tagged((constructed ? 0xa0 : 0x80) | number, content);
}
