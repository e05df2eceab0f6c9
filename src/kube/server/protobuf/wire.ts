/** The wire format of protocol buffers, as far as decoding needs it. */
import { badRequest } from "../refusals.ts";

export type WireValue =
  | { readonly wire: 0 | 1 | 5; readonly number: bigint }
  | { readonly wire: 2; readonly bytes: Uint8Array };

export type WireField = WireValue & { readonly field: number };

/** The fields of a message in their order. Throws BadRequest when the bytes are not a message. */
export function readFields(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed();
  }

  function take(length: number): number {
    const start = at;
    if (length > bytes.length - at) throw malformed();
    at += length;
    return start;
  }

  while (at < bytes.length) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed();
    switch (tag % 8) {
      case 0:
        fields.push({ field, wire: 0, number: varint() });
        break;
      case 1:
        fields.push({ field, wire: 1, number: view.getBigUint64(take(8), true) });
        break;
      case 2: {
        const length = Number(varint());
        const start = take(length);
        fields.push({ field, wire: 2, bytes: bytes.subarray(start, start + length) });
        break;
      }
      case 5:
        fields.push({ field, wire: 5, number: BigInt(view.getUint32(take(4), true)) });
        break;
      default:
        throw malformed();
    }
  }
  return fields;
}

function malformed(): Error {
  return badRequest("the body of the request is not a protobuf message");
}
