/**
 * Frames of SPDY/3.1 (draft 3.1, section 2.2), as far as streams of Kubernetes use them. Pure.
 *
 *     control: 1 | version 15 | type 16 || flags 8 | length 24 || payload
 *     data:    0 | stream id 31         || flags 8 | length 24 || payload
 */
export type SpdyFrame =
  | {
      readonly kind: "syn-stream" | "syn-reply" | "headers";
      readonly streamId: number;
      readonly fin: boolean;
      /** Compressed; see `header-block.ts`. */
      readonly block: Uint8Array;
    }
  | { readonly kind: "rst-stream"; readonly streamId: number; readonly status: number }
  | { readonly kind: "ping"; readonly id: number }
  | { readonly kind: "goaway"; readonly lastStreamId: number; readonly status: number }
  | { readonly kind: "window-update"; readonly streamId: number; readonly delta: number }
  /** A piece of a data frame; `fin` comes with its last piece. */
  | { readonly kind: "data"; readonly streamId: number; readonly fin: boolean; readonly bytes: Uint8Array };

export const controlTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Reasons of RST_STREAM, section 2.6.3. */
export const resetReasons = { protocolError: 1, invalidStream: 2, refused: 3, cancel: 5 } as const;

export const finFlag = 0x01;
const version = 3;
/** Of what we send; small enough that streams take turns. */
export const maxDataBytes = 32 * 1024;

export function encodeFrame(frame: SpdyFrame): Buffer {
  switch (frame.kind) {
    case "data": {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(frame.streamId & 0x7fffffff, 0);
      head.writeUInt32BE(frame.bytes.length, 4);
      head[4] = frame.fin ? finFlag : 0;
      return Buffer.concat([head, frame.bytes]);
    }
    case "syn-stream":
      // Associated stream, priority and slot: none.
      return control(controlTypes.synStream, frame.fin, [words(frame.streamId, 0), Buffer.alloc(2), frame.block]);
    case "syn-reply":
      return control(controlTypes.synReply, frame.fin, [words(frame.streamId), frame.block]);
    case "headers":
      return control(controlTypes.headers, frame.fin, [words(frame.streamId), frame.block]);
    case "rst-stream":
      return control(controlTypes.rstStream, false, [words(frame.streamId, frame.status)]);
    case "ping":
      return control(controlTypes.ping, false, [words(frame.id)]);
    case "goaway":
      return control(controlTypes.goaway, false, [words(frame.lastStreamId, frame.status)]);
    case "window-update":
      return control(controlTypes.windowUpdate, false, [words(frame.streamId, frame.delta)]);
  }
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, index * 4);
  return buffer;
}

function control(type: number, fin: boolean, payload: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(
    payload.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  head[4] = fin ? finFlag : 0;
  return Buffer.concat([head, ...payload]);
}
