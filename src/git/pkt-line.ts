/** The framing of git's protocols (gitprotocol-common(5), "pkt-line format"). Pure. */

export const flushPacket = Buffer.from("0000");

/** The longest packet: 65,520 bytes, four of them the length. */
const maxPacket = 65_520;

export function packet(payload: string | Uint8Array): Buffer {
  const data = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (data.length + 4 > maxPacket) throw new RangeError(`A packet holds ${maxPacket - 4} bytes: got ${data.length}`);
  return Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, "0")), data]);
}

/** 1 = data, 2 = lines the client prints as "remote: …", 3 = fatal error. */
export type Band = 1 | 2 | 3;

/** The payload on a side band, in as many packets as it takes. */
export function bandPackets(band: Band, payload: string | Uint8Array): Buffer {
  const data = Buffer.from(payload);
  const packets: Buffer[] = [];
  for (let at = 0; at < data.length; at += maxPacket - 5) {
    packets.push(packet(Buffer.concat([Buffer.of(band), data.subarray(at, at + maxPacket - 5)])));
  }
  return Buffer.concat(packets);
}

export type Packet =
  /** Length 0000 (flush), 0001 (delimiter), 0002 (end of response). */
  | { readonly kind: "special"; readonly length: 0 | 1 | 2; readonly end: number }
  | { readonly kind: "data"; readonly payload: Buffer; readonly end: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed" };

/** The packet that begins at `offset`; `end` is where the next begins. */
export function packetAt(bytes: Buffer, offset: number): Packet {
  if (bytes.length < offset + 4) return { kind: "incomplete" };
  const text = bytes.toString("latin1", offset, offset + 4);
  if (!/^[0-9a-fA-F]{4}$/.test(text)) return { kind: "malformed" };
  const length = Number.parseInt(text, 16);
  if (length === 0 || length === 1 || length === 2) return { kind: "special", length, end: offset + 4 };
  if (length === 3 || length > maxPacket) return { kind: "malformed" };
  if (bytes.length < offset + length) return { kind: "incomplete" };
  return { kind: "data", payload: bytes.subarray(offset + 4, offset + length), end: offset + length };
}

/** Cuts a stream of bytes into whole packets, keeping the unfinished tail. */
export class PacketSplitter {
  #tail: Buffer = Buffer.alloc(0);

  /** The whole packets that `chunk` completes. Throws on bytes that are no packets. */
  push(chunk: Buffer): Exclude<Packet, { kind: "incomplete" | "malformed" }>[] {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const packets: Exclude<Packet, { kind: "incomplete" | "malformed" }>[] = [];
    let offset = 0;
    for (;;) {
      const next = packetAt(bytes, offset);
      if (next.kind === "malformed") throw new RangeError("Cannot read git's output: not in pkt-line format");
      if (next.kind === "incomplete") break;
      packets.push(next);
      offset = next.end;
    }
    this.#tail = bytes.subarray(offset);
    return packets;
  }
}
