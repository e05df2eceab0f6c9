/**
 * Bytes in, frames out: pure but for the bytes it keeps of a frame that is not complete. Data is handed on as it comes,
 * since one frame may hold 16 MiB; a control frame is at most `maxControlBytes`.
 */
import { StreamError } from "../errors.ts";
import { controlTypes, finFlag, type SpdyFrame } from "./frame.ts";

/** Headers of these streams are a few words; a SETTINGS frame is smaller still. */
const maxControlBytes = 64 * 1024;
const headBytes = 8;

/** - `head`: fewer than 8 bytes of a frame are here
 *  - `control`: the payload is gathered until it is whole
 *  - `data`: `left` bytes of the payload are still to come
 *  - `broken`: the peer broke the protocol; nothing that follows means anything */
type State =
  | { readonly kind: "head" }
  | { readonly kind: "control"; readonly type: number; readonly flags: number; readonly length: number }
  | { readonly kind: "data"; readonly streamId: number; readonly fin: boolean; readonly left: number }
  | { readonly kind: "broken"; readonly error: StreamError };

export class SpdyFrameDecoder {
  #state: State = { kind: "head" };
  #kept: Buffer = Buffer.alloc(0);

  /** Throws `kube/spdy-protocol`, from then on always. */
  *push(bytes: Uint8Array): Generator<SpdyFrame> {
    let rest = Buffer.concat([this.#kept, bytes]);
    this.#kept = Buffer.alloc(0);
    try {
      for (;;) {
        const step = this.#step(rest);
        if (step === undefined) break;
        rest = rest.subarray(step.taken);
        // Kept before it is handed out: whoever takes frames may stop in between.
        this.#kept = rest;
        if (step.frame !== undefined) yield step.frame;
      }
    } catch (error) {
      if (error instanceof StreamError) this.#state = { kind: "broken", error };
      throw error;
    }
    this.#kept = rest;
  }

  /** Undefined when more bytes are needed. */
  #step(bytes: Buffer): { readonly taken: number; readonly frame?: SpdyFrame } | undefined {
    const state = this.#state;
    switch (state.kind) {
      case "broken":
        throw state.error;
      case "head":
        if (bytes.length < headBytes) return undefined;
        this.#state = readHead(bytes);
        return { taken: headBytes };
      case "control": {
        if (bytes.length < state.length) return undefined;
        this.#state = { kind: "head" };
        const frame = readControl(state.type, state.flags, bytes.subarray(0, state.length));
        return { taken: state.length, ...(frame === undefined ? {} : { frame }) };
      }
      case "data": {
        if (bytes.length === 0 && state.left > 0) return undefined;
        const piece = bytes.subarray(0, state.left);
        const left = state.left - piece.length;
        this.#state = left === 0 ? { kind: "head" } : { ...state, left };
        const frame = { kind: "data", streamId: state.streamId, fin: state.fin && left === 0, bytes: piece } as const;
        return { taken: piece.length, frame };
      }
    }
  }
}

function readHead(bytes: Buffer): State {
  const first = bytes.readUInt32BE(0);
  const flags = bytes[4] ?? 0;
  const length = bytes.readUIntBE(5, 3);
  if (first < 0x80000000) {
    if (first === 0) throw broken("data for stream 0");
    return { kind: "data", streamId: first, fin: (flags & finFlag) !== 0, left: length };
  }
  const version = (first >>> 16) & 0x7fff;
  if (version !== 3) throw broken(`a frame of version ${version}, not 3`);
  if (length > maxControlBytes) throw broken(`a control frame of ${length} bytes, over ${maxControlBytes}`);
  return { kind: "control", type: first & 0xffff, flags, length };
}

/** Undefined for frames that mean nothing here: SETTINGS, and those to come (section 2.2.1: ignore them). */
function readControl(type: number, flags: number, payload: Buffer): SpdyFrame | undefined {
  const fin = (flags & finFlag) !== 0;
  switch (type) {
    case controlTypes.synStream:
      atLeast(payload, 10, "SYN_STREAM");
      return { kind: "syn-stream", streamId: streamIdOf(payload), fin, block: payload.subarray(10) };
    case controlTypes.synReply:
      atLeast(payload, 4, "SYN_REPLY");
      return { kind: "syn-reply", streamId: streamIdOf(payload), fin, block: payload.subarray(4) };
    case controlTypes.headers:
      atLeast(payload, 4, "HEADERS");
      return { kind: "headers", streamId: streamIdOf(payload), fin, block: payload.subarray(4) };
    case controlTypes.rstStream:
      exactly(payload, 8, "RST_STREAM");
      return { kind: "rst-stream", streamId: streamIdOf(payload), status: payload.readUInt32BE(4) };
    case controlTypes.ping:
      exactly(payload, 4, "PING");
      return { kind: "ping", id: payload.readUInt32BE(0) };
    case controlTypes.goaway:
      exactly(payload, 8, "GOAWAY");
      return { kind: "goaway", lastStreamId: id31(payload), status: payload.readUInt32BE(4) };
    case controlTypes.windowUpdate:
      exactly(payload, 8, "WINDOW_UPDATE");
      return { kind: "window-update", streamId: id31(payload), delta: payload.readUInt32BE(4) & 0x7fffffff };
    default:
      return undefined;
  }
}

function id31(payload: Buffer): number {
  return payload.readUInt32BE(0) & 0x7fffffff;
}

function streamIdOf(payload: Buffer): number {
  const id = id31(payload);
  if (id === 0) throw broken("a control frame for stream 0");
  return id;
}

function atLeast(payload: Buffer, bytes: number, name: string): void {
  if (payload.length < bytes) throw broken(`${name} of ${payload.length} bytes, under ${bytes}`);
}

function exactly(payload: Buffer, bytes: number, name: string): void {
  if (payload.length !== bytes) throw broken(`${name} of ${payload.length} bytes, not ${bytes}`);
}

function broken(what: string): StreamError {
  return new StreamError("kube/spdy-protocol", `Cannot read SPDY/3.1: ${what}`);
}
